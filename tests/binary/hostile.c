/* A plugin that does what its configuration names: it lies, crashes, hangs, prints, forks. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    uint64_t ts, tid;
    uint32_t len;
    uint16_t type;
    uint32_t nparams;
} __attribute__((packed)) event;

typedef struct {
    const event *evt;
    uint64_t evtnum;
    const char *evtsrc;
} event_input;

typedef struct {
    uint32_t len;
    const void *ptr;
} buffer;

typedef struct {
    const void *res;
    uint64_t res_len;
    uint32_t field_id;
    const char *field, *arg_key;
    uint64_t arg_index;
    uint32_t arg_present, ftype, flist;
} extract_field;

typedef struct {
    const char *config;
    void *owner;
    const char *(*last_error)(void *);
    const void *tables;
    void (*log)(const char *component, const char *message, int32_t severity);
} init_input;

typedef struct {
    void *owner;
    const char *(*last_error)(void *);
    uint32_t num_fields;
    extract_field *fields;
} extract_input;

static char how[64];
static uint64_t given;

static int is(const char *name) { return strcmp(how, name) == 0; }
static void crash(const char *where) {
    char name[64];
    snprintf(name, sizeof name, "crash in %s", where);
    if (is(name)) *(volatile int *)8 = 1;
    snprintf(name, sizeof name, "hang in %s", where);
    while (is(name)) pause();
    snprintf(name, sizeof name, "exit in %s", where);
    if (is(name)) _exit(7);
    snprintf(name, sizeof name, "fork in %s", where);
    if (is(name) && fork() == 0 && strcmp(where, "init")) pause();
}

#ifndef API
#define API "3.12.0"
#endif
const char *plugin_get_required_api_version(void) { return API; }
#ifndef NAMELESS
const char *plugin_get_name(void) { return "hostile"; }
#else
const char *plugin_get_name(void) { return NULL; }
#endif
const char *plugin_get_description(void) { return NULL; }
const char *plugin_get_contact(void) { return "\xff\xfe"; }
const char *plugin_get_version(void) { return "0.1.0"; }
const char *plugin_get_last_error(void *state) { return NULL; }
uint32_t plugin_get_id(void) { return 999; }
const char *plugin_get_event_source(void) { return "hostile"; }

void *plugin_init(const init_input *in, int32_t *rc) {
    snprintf(how, sizeof how, "%s", in->config);
    crash("init");
    *rc = 0;
    if (is("print")) {
        puts("printed by the plugin");
        write(1, "\0\0\0\4\0\0\0\0{}", 10);
        fflush(stdout);
    }
    if (is("log")) {
        in->log(NULL, NULL, 3);
        in->log("a component", "\xff words \x1b[31m\n more", 99);
    }
    return how;
}

void plugin_destroy(void *state) { crash("destroy"); }
void *plugin_open(void *state, const char *parameters, int32_t *rc) {
    crash("open");
    *rc = 0;
    return how;
}
void plugin_close(void *state, void *instance) { crash("close"); }

static event *put(char *at, uint32_t id, const void *payload, uint32_t size) {
    uint32_t lengths[2] = {4, size};
    memcpy(at + sizeof(event), lengths, 8);
    memcpy(at + sizeof(event) + 8, &id, 4);
    memcpy(at + sizeof(event) + 12, payload, size);
    *(event *)at = (event){1700000000000000000 + given, -1, sizeof(event) + 12 + size, 322, 2};
    return (event *)at;
}

int32_t plugin_next_batch(void *state, void *instance, uint32_t *count, event ***events) {
    static char memory[3][512];
    static event *batch[4];
    char payload[64];
    crash("next_batch");
    *events = batch;
    *count = 0;
    if (is("odd code")) return 77;
    if (is("many")) {
        *count = -1;
        return 0;
    }
    if (is("nowhere")) {
        *events = NULL;
        *count = 3;
        return 2;
    }
    for (; *count < 3; ++*count, ++given) {
        snprintf(payload, sizeof payload, "{\"n\":%d}", (int)given);
        batch[*count] = put(memory[*count], 999, payload, strlen(payload));
    }
    event *second = batch[1];
    uint32_t huge = 0xfffffff0;
    if (is("null event")) batch[1] = NULL;
    if (is("long event")) second->len = huge;
    if (is("short event")) second->len = 3;
    if (is("many parameters")) second->nparams = huge;
    if (is("long parameter")) memcpy((char *)second + sizeof(event) + 4, &huge, 4);
    if (is("wrong id")) put(memory[1], 4, "{}", 2);
    if (is("wrong type")) second->type = 2;
    if (is("no text")) put(memory[1], 999, "\xff\xfe\0\x80", 4);
    if (is("large event")) {
        static char *large;
        large = large ? large : malloc((64 << 20) + 64);
        char *text = malloc(64 << 20);
        memset(text, 'x', 64 << 20);
        batch[1] = put(large, 999, text, 64 << 20);
        free(text);
    }
    return 2;
}

const char *plugin_event_to_string(void *state, const event_input *in) { return "\xff"; }

const char *plugin_get_fields(void) {
#ifdef FIELDS
    return FIELDS;
#else
    return "[{\"name\":\"hostile.text\",\"type\":\"string\",\"desc\":\"A text.\"},"
           "{\"name\":\"hostile.number\",\"type\":\"uint64\",\"desc\":\"A number.\"},"
           "{\"name\":\"hostile.texts\",\"type\":\"string\",\"isList\":true,\"desc\":\"Texts.\"},"
           "{\"name\":\"hostile.ip\",\"type\":\"ipaddr\",\"desc\":\"An address.\"}]";
#endif
}

int32_t plugin_extract_fields(void *state, const event_input *in, const extract_input *wanted) {
    static uint64_t number = 5;
    static const char *texts[2] = {"good", NULL};
    static buffer nowhere = {0xfffffff0, NULL};
    if (in->evt->ts % 10 == 1) crash("extract");
    if (is("refuse to extract")) return 1;
    for (uint32_t n = 0; n < wanted->num_fields; n++) {
        extract_field *field = &wanted->fields[n];
        field->res_len = 1;
        field->res = field->field_id == 1 ? (void *)&number : field->field_id == 3 ? (void *)&nowhere : texts;
        if (is("null text")) field->res = field->field_id == 0 ? (void *)&texts[1] : field->res;
        if (is("bad text")) texts[0] = "\xff\xfe";
        if (is("many values")) field->res_len = (uint64_t)-1;
        if (is("other type")) field->ftype = 21, field->flist = 1;
        if (is("other field")) wanted->fields[n] = (extract_field){texts, 1, 77, NULL, NULL, 0, 0, 255, 1};
    }
    return 0;
}

int32_t plugin_parse_event(void *state, const event_input *in, const void *input) {
    crash("parse");
    return is("refuse to parse") ? 1 : 0;
}
