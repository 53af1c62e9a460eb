/* A plugin against the documented interface: it gives a few JSON events, extracts fields of every type, counts what it
 * parses, sends one asynchronous event, and crashes when its configuration says so. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS 3

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
    union {
        const char **str;
        uint64_t *u64;
        uint32_t *boolean;
        buffer *buf;
    } res;
    uint64_t res_len;
    uint32_t field_id;
    const char *field, *arg_key;
    uint64_t arg_index;
    uint32_t arg_present, ftype, flist;
} extract_field;

typedef struct {
    void *list_tables, *get_table, *add_table, *fields[3], *fields_ext;
} tables;

typedef struct {
    const char *config;
    void *owner;
    const char *(*last_error)(void *);
    const tables *tables;
    void (*log)(const char *component, const char *message, int32_t severity);
} init_input;

typedef struct {
    void *owner;
    const char *(*last_error)(void *);
    uint32_t num_fields;
    extract_field *fields;
} extract_input;

typedef int32_t (*handler)(void *owner, const event *evt, char *error);

static char config[256], error[256];
static uint64_t given, parsed;
static char memory[EVENTS][256];
static event *batch[EVENTS];

const char *plugin_get_required_api_version(void) { return "3.0.0"; }
const char *plugin_get_name(void) { return "birds"; }
const char *plugin_get_description(void) { return "Birds seen from a window."; }
const char *plugin_get_contact(void) { return "nobody"; }
const char *plugin_get_version(void) { return "1.2.3"; }
const char *plugin_get_last_error(void *state) { return error; }
#ifndef LOOKS_ONLY
uint32_t plugin_get_id(void) { return 999; }
const char *plugin_get_event_source(void) { return "birds"; }
#else
#ifdef KERNEL_TOO
const char *plugin_get_extract_event_sources(void) { return "[\"json\",\"syscall\"]"; }
#else
const char *plugin_get_extract_event_sources(void) { return "[\"json\"]"; }
#endif
#endif

#ifdef LOOKS_ONLY
const char *plugin_get_init_schema(int32_t *kind) {
    *kind = 1;
    return "{\"$ref\":\"#/definitions/c\",\"definitions\":{\"c\":{\"type\":\"object\",\"additionalProperties\":false,"
           "\"required\":[\"eyes\"],\"properties\":{\"eyes\":{\"type\":\"integer\"},\"mode\":{\"enum\":[\"crash\"]}}}}}";
}
#endif

void *plugin_init(const init_input *in, int32_t *rc) {
    snprintf(config, sizeof config, "%s", in->config);
    *rc = strcmp(config, "refuse") == 0;
    snprintf(error, sizeof error, "told to refuse");
    in->log(NULL, "started", 6);
    printf("plugins may print\n");
    return config;
}

void plugin_destroy(void *state) {}

void *plugin_open(void *state, const char *parameters, int32_t *rc) {
    given = parsed = 0;
    *rc = strcmp(parameters, "window") != 0;
    snprintf(error, sizeof error, "no such place");
    return memory;
}

void plugin_close(void *state, void *instance) {}

static event *put(char *at, uint16_t type, const char *name, const char *payload) {
    uint32_t lengths[3] = {4, strlen(name), strlen(payload) + 1}, count = 0, at_data, id = 0;
    const void *values[3] = {&id, name, payload};
    event *made = (event *)at;
    uint32_t order[3] = {0, 2, 2}, parameters = type == 402 ? 3 : 2;
    if (type == 402) {
        order[1] = 1;
        lengths[1] += 1;
    }
    at_data = sizeof(event) + 4 * parameters;
    for (count = 0; count < parameters; count++) {
        memcpy(at + sizeof(event) + 4 * count, &lengths[order[count]], 4);
        memcpy(at + at_data, values[order[count]], lengths[order[count]]);
        at_data += lengths[order[count]];
    }
    *made = (event){.ts = 1700000000000000000 + given, .tid = -1, .len = at_data, .type = type, .nparams = parameters};
    return made;
}

int32_t plugin_next_batch(void *state, void *instance, uint32_t *count, event ***events) {
    static const char *birds[EVENTS] = {"wren", "kestrel", "swift"};
    char payload[128];
    if (strcmp(config, "fail") == 0) {
        snprintf(error, sizeof error, "the window is closed");
        return 1;
    }
    for (*count = 0; *count < EVENTS; ++*count, ++given) {
        snprintf(payload, sizeof payload, "{\"bird\":\"%s\",\"n\":%d}", birds[*count], (int)given);
        batch[*count] = put(memory[*count], 322, "", payload);
    }
    *events = batch;
    return 2;
}

const char *plugin_event_to_string(void *state, const event_input *in) {
    static char text[64];
    snprintf(text, sizeof text, "event %d of %s", (int)in->evtnum, in->evtsrc);
    return text;
}

const char *plugin_get_fields(void) {
    return "[{\"name\":\"birds.name\",\"type\":\"string\",\"desc\":\"Its name.\"},"
           "{\"name\":\"birds.letter\",\"type\":\"string\",\"desc\":\"A letter.\",\"arg\":{\"isIndex\":true,\"isRequired\":true}},"
           "{\"name\":\"birds.key\",\"type\":\"string\",\"desc\":\"The key.\",\"arg\":{\"isKey\":true}},"
           "{\"name\":\"birds.letters\",\"type\":\"string\",\"isList\":true,\"desc\":\"First and last letter.\"},"
           "{\"name\":\"birds.seen\",\"type\":\"uint64\",\"desc\":\"How many were parsed.\"},"
           "{\"name\":\"birds.raptor\",\"type\":\"bool\",\"desc\":\"Whether it hunts.\"},"
           "{\"name\":\"birds.from\",\"type\":\"ipaddr\",\"desc\":\"Where from.\"}]";
}

int32_t plugin_extract_fields(void *state, const event_input *in, const extract_input *wanted) {
    static char names[8][64];
    static const char *texts[8][2];
    static uint64_t seen;
    static uint32_t raptor;
    static const unsigned char home[4] = {192, 0, 2, 1};
    static buffer from = {4, home};
    const char *payload = (const char *)in->evt + sizeof(event) + 4 * 2 + 4;
    char name[32] = "";
    sscanf(payload, "{\"bird\":\"%31[a-z]", name);
    if (strstr(config, "crash") && name[0] == 's') {
        *(volatile int *)NULL = 1;
    }
    for (uint32_t n = 0; n < wanted->num_fields && n < 8; n++) {
        extract_field *field = &wanted->fields[n];
        texts[n][0] = names[n];
        field->res.str = texts[n];
        field->res_len = 1;
        snprintf(names[n], sizeof names[n], "%s", name);
        switch (field->field_id) {
        case 1:
            field->res_len = field->arg_present && field->arg_index < strlen(name);
            snprintf(names[n], sizeof names[n], "%c", field->res_len ? name[field->arg_index] : 0);
            break;
        case 2:
            snprintf(names[n], sizeof names[n], "%s", field->arg_present ? field->arg_key : "none");
            break;
        case 3:
            snprintf(names[n], sizeof names[n], "%c", name[0]);
            texts[n][1] = name[0] ? &names[n][2] : "";
            snprintf(&names[n][2], 2, "%c", name[strlen(name) - 1]);
            field->res_len = 2;
            break;
        case 4:
            seen = parsed;
            field->res.u64 = &seen;
            break;
        case 5:
            raptor = strcmp(name, "kestrel") == 0;
            field->res.boolean = &raptor;
            break;
        case 6:
            field->res.buf = &from;
            break;
        }
    }
    return 0;
}

int32_t plugin_parse_event(void *state, const event_input *in, const void *input) {
    parsed++;
    return 0;
}

const char *plugin_get_async_events(void) { return "[\"window_opened\"]"; }

int32_t plugin_set_async_event_handler(void *state, void *owner, handler call) {
    static char at[256];
    char said[1024];
    return call && strcmp(config, "aside") == 0 ? call(owner, put(at, 402, "window_opened", "wide"), said) : 0;
}
