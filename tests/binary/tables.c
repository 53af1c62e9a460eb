/* Two plugins that share state, against the documented interface. KEEPER gives events, owns the table `nests`, and keeps
 * threads of its own in the host's table. Without KEEPER it is the one that looks: it reads and writes both tables. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { U64 = 8, TEXT = 9, TABLE = 10, BOOL = 25, I64 = 4 };

typedef union {
    int64_t s64;
    uint64_t u64;
    const char *text;
    uint32_t boolean;
    void *table;
} value;

typedef struct {
    const char *name;
    int32_t type;
    uint32_t read_only;
} field_info;

typedef struct {
    const char *name;
    int32_t key_type;
} table_info;

typedef struct {
    const field_info *(*list)(void *, uint32_t *);
    void *(*get)(void *, const char *, int32_t);
    void *(*add)(void *, const char *, int32_t);
} fields;

typedef uint32_t (*visit)(void *state, void *entry);

typedef struct {
    const char *(*name)(void *);
    uint64_t (*size)(void *);
    void *(*entry)(void *, const value *key);
    int32_t (*read)(void *, void *entry, const void *field, value *out);
} old_reader;

typedef struct {
    old_reader old;
    void (*release)(void *, void *entry);
    uint32_t (*iterate)(void *, visit, void *state);
} reader;

typedef struct {
    int32_t (*clear)(void *);
    int32_t (*erase)(void *, const value *key);
    void *(*create)(void *);
    void (*destroy)(void *, void *entry);
    void *(*add)(void *, const value *key, void *entry);
    int32_t (*write)(void *, void *entry, const void *field, const value *in);
} writer;

typedef struct {
    const char *name;
    int32_t key_type;
    void *table;
    old_reader reader;
    writer writer;
    fields fields;
    const reader *reader_ext;
    const writer *writer_ext;
    const fields *fields_ext;
} table_input;

typedef struct {
    const table_info *(*list)(void *owner, uint32_t *);
    void *(*get)(void *owner, const char *, int32_t key_type);
    int32_t (*add)(void *owner, const table_input *);
    fields fields;
    const fields *fields_ext;
} tables;

typedef const char *(*last_error)(void *owner);

typedef struct {
    const char *config;
    void *owner;
    last_error error;
    const tables *tables;
} init_input;

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
    const char **text;
    uint64_t count;
    uint32_t id;
    const char *name, *key;
    uint64_t index;
    uint32_t present, type, list;
} request;

typedef struct {
    void *owner;
    last_error error;
    uint32_t count;
    request *requests;
    old_reader reader_old;
    const reader *reader;
} extract_input;

typedef struct {
    void *owner;
    last_error error;
    old_reader reader_old;
    writer writer_old;
    const reader *reader;
    const writer *writer;
} parse_input;

static char said[512];
static void *threads, *bird, *args, *argument;

const char *plugin_get_required_api_version(void) { return "3.12.0"; }
const char *plugin_get_description(void) { return "State in tables."; }
const char *plugin_get_contact(void) { return "nobody"; }
const char *plugin_get_version(void) { return "0.1.0"; }
const char *plugin_get_last_error(void *state) { return said; }
void plugin_destroy(void *state) {}

#ifdef KEEPER
/* An entry of `nests`: its number is the key. */
typedef struct {
    uint64_t eggs;
    char name[16];
    int used;
} nest;

#define NESTS 8
static nest nests[NESTS], fresh;
static const field_info infos[] = {{"eggs", U64, 0}, {"name", TEXT, 0}, {"many", BOOL, 1}, {"inside", TABLE, 1}};
static uint64_t inside_size = 7;
static int held;

static const field_info *list(void *t, uint32_t *count) { return *count = 4, infos; }
static void *get(void *t, const char *name, int32_t type) {
    for (int n = 0; n < 4; n++) {
        if (strcmp(infos[n].name, name) == 0 && infos[n].type == type) {
            return (void *)&infos[n];
        }
    }
    return NULL;
}
static void *add_field(void *t, const char *name, int32_t type) { return get(t, name, type); }
static const char *table_name(void *t) { return "nests"; }
static uint64_t size(void *t) {
    uint64_t count = t == &inside_size ? inside_size : 0;
    for (int n = 0; t == nests && n < NESTS; n++) {
        count += nests[n].used;
    }
    return count;
}
static void *entry(void *t, const value *key) {
    return key->u64 < NESTS && nests[key->u64].used ? (held++, &nests[key->u64]) : NULL;
}
static void release(void *t, void *e) { held--; }
static uint32_t iterate(void *t, visit each, void *state) {
    for (int n = 0; n < NESTS; n++) {
        if (nests[n].used && !each(state, &nests[n])) {
            return 0;
        }
    }
    return 1;
}
static int32_t clear(void *t) { return memset(nests, 0, sizeof nests), 0; }
static int32_t erase(void *t, const value *key) {
    return key->u64 < NESTS && nests[key->u64].used ? (nests[key->u64].used = 0) : 1;
}
static void *create(void *t) { return memset(&fresh, 0, sizeof fresh), &fresh; }
static void destroy(void *t, void *e) {}
static void *add(void *t, const value *key, void *e) {
    if (key->u64 >= NESTS) {
        return NULL;
    }
    nests[key->u64] = *(nest *)e;
    nests[key->u64].used = 1;
    return held++, &nests[key->u64];
}
static int32_t write(void *t, void *e, const void *field, const value *in) {
    nest *one = e;
    if (field == &infos[0]) {
        one->eggs = in->u64;
    } else if (field == &infos[1]) {
        snprintf(one->name, sizeof one->name, "%s", in->text);
    }
    return field != &infos[0] && field != &infos[1];
}
static int32_t read_field(void *t, void *e, const void *field, value *out);

static const reader my_reader = {{table_name, size, entry, read_field}, release, iterate};
static const writer my_writer = {clear, erase, create, destroy, add, write};
static const fields my_fields = {list, get, add_field};
static table_input own = {"nests", U64, nests}, inside = {"inside", U64, &inside_size};

static int32_t read_field(void *t, void *e, const void *field, value *out) {
    nest *one = e;
    switch ((const field_info *)field - infos) {
    case 0: return out->u64 = one->eggs, 0;
    case 1: return out->text = one->name, 0;
    case 2: return out->boolean = one->eggs > 2, 0;
    case 3: return out->table = &inside, 0;
    }
    return 1;
}

const char *plugin_get_name(void) { return "keeper"; }
uint32_t plugin_get_id(void) { return 998; }
const char *plugin_get_event_source(void) { return "nests"; }

void *plugin_init(const init_input *in, int32_t *rc) {
    own.reader_ext = inside.reader_ext = &my_reader;
    own.writer_ext = inside.writer_ext = &my_writer;
    own.fields_ext = inside.fields_ext = &my_fields;
    threads = in->tables->get(in->owner, "threads", I64);
    bird = in->tables->fields_ext->add(threads, "bird", TEXT);
    args = in->tables->fields_ext->get(threads, "args", TABLE);
    *rc = !threads || !bird || !args || in->tables->add(in->owner, &own) != 0 || in->tables->add(in->owner, &own) == 0;
    snprintf(said, sizeof said, "%s", in->error(in->owner));
    return nests;
}

void *plugin_open(void *state, const char *parameters, int32_t *rc) { return *rc = 0, nests; }
void plugin_close(void *state, void *instance) {}

int32_t plugin_next_batch(void *state, void *instance, uint32_t *count, event ***events) {
    static struct {
        event head;
        uint32_t lengths[2], id;
        char payload[4];
    } __attribute__((packed)) made[3];
    static event *batch[3];
    for (*count = 0; *count < 3; ++*count) {
        made[*count].head = (event){1700000000000000000ull + *count, -1, sizeof made[0], 322, 2};
        made[*count].lengths[0] = made[*count].lengths[1] = 4;
        snprintf(made[*count].payload, 4, "%d", (int)*count);
        batch[*count] = &made[*count].head;
    }
    *events = batch;
    return 2;
}

int32_t plugin_parse_event(void *state, const event_input *in, const parse_input *with) {
    value key = {.s64 = (int64_t)in->evtnum}, name = {.text = "wren"};
    void *thread = with->writer->create(threads), *put;
    if (!thread || with->writer->write(threads, thread, bird, &name) != 0) {
        return 1;
    }
    put = with->writer->add(threads, &key, thread);
    with->reader->release(threads, put);
    nests[in->evtnum % NESTS] = (nest){in->evtnum, "nest", 1};
    return put == NULL;
}
#else
static void *nest_table, *eggs, *nest_name, *many, *inner;
static char first_error[128], listed[256];

const char *plugin_get_name(void) { return "looker"; }
const char *plugin_get_extract_event_sources(void) { return "[\"nests\"]"; }
const char *plugin_get_parse_event_sources(void) { return "[\"nests\"]"; }
const char *plugin_get_fields(void) {
    return "[{\"name\":\"nests.last\",\"type\":\"string\",\"desc\":\"What the last nest holds.\"},"
           "{\"name\":\"nests.all\",\"type\":\"string\",\"desc\":\"Eggs of every nest, in order.\"},"
           "{\"name\":\"nests.thread\",\"type\":\"string\",\"desc\":\"What the host's table holds.\"},"
           "{\"name\":\"nests.tables\",\"type\":\"string\",\"desc\":\"Tables, and fields of nests.\"},"
           "{\"name\":\"nests.refused\",\"type\":\"string\",\"desc\":\"What was refused.\"}]";
}

void *plugin_init(const init_input *in, int32_t *rc) {
    const tables *all = in->tables;
    uint32_t count = 0;
    const table_info *found = all->list(in->owner, &count);
    for (uint32_t n = 0; n < count; n++) {
        snprintf(listed + strlen(listed), 64, "%s:%d ", found[n].name, found[n].key_type);
    }
    nest_table = all->get(in->owner, "nests", U64);
    const field_info *infos = all->fields_ext->list(nest_table, &count);
    for (uint32_t n = 0; infos && n < count; n++) {
        snprintf(listed + strlen(listed), 64, "%s:%d:%d ", infos[n].name, infos[n].type, infos[n].read_only);
    }
    eggs = all->fields_ext->get(nest_table, "eggs", U64);
    nest_name = all->fields_ext->get(nest_table, "name", TEXT);
    many = all->fields_ext->get(nest_table, "many", BOOL);
    inner = all->fields_ext->get(nest_table, "inside", TABLE);
    threads = all->get(in->owner, "threads", I64);
    bird = all->fields_ext->get(threads, "bird", TEXT);
    args = all->fields_ext->get(threads, "args", TABLE);
    *rc = !nest_table || !eggs || !nest_name || !many || !inner || !threads || !bird || !args;
    snprintf(said, sizeof said, "tables: %s", in->error(in->owner));
    *rc |= all->get(in->owner, "nests", TEXT) != NULL || all->get(in->owner, "none", U64) != NULL;
    *rc |= all->fields_ext->get(threads, "bird", U64) != NULL;
    snprintf(first_error, sizeof first_error, "%s", in->error(in->owner));
    return listed;
}

int32_t plugin_parse_event(void *state, const event_input *in, const parse_input *with) {
    value key = {.u64 = 7}, number = {.u64 = 42}, name = {.text = "own"};
    if (in->evtnum == 2) {
        void *made = with->writer->create(nest_table);
        with->writer->write(nest_table, made, eggs, &number);
        with->writer->write(nest_table, made, nest_name, &name);
        with->reader->release(nest_table, with->writer->add(nest_table, &key, made));
        with->writer->destroy(nest_table, with->writer->create(nest_table));
    }
    return in->evtnum == 3 ? with->writer->erase(nest_table, &(value){.u64 = 1}) : 0;
}

typedef struct {
    const extract_input *in;
    char *text;
} walk;

static uint32_t one(void *state, void *entry) {
    walk *at = state;
    value read;
    at->in->reader->old.read(nest_table, entry, eggs, &read);
    snprintf(at->text + strlen(at->text), 32, "%d ", (int)read.u64);
    return 1;
}

static void last(const extract_input *in, uint64_t number, char *text) {
    value key = {.u64 = number}, a = {0}, b = {0}, c = {0}, d = {0};
    void *entry = in->reader->old.entry(nest_table, &key);
    in->reader->old.read(nest_table, entry, eggs, &a);
    in->reader->old.read(nest_table, entry, nest_name, &b);
    in->reader->old.read(nest_table, entry, many, &c);
    in->reader->old.read(nest_table, entry, inner, &d);
    snprintf(text, 128, "%s %d %s %d/%d inside %d", in->reader->old.name(nest_table), (int)a.u64, b.text, c.boolean,
             (int)in->reader->old.size(nest_table), (int)in->reader->old.size(d.table));
    in->reader->release(nest_table, entry);
}

static void thread(const extract_input *in, uint64_t number, char *text) {
    value key = {.s64 = (int64_t)number}, name = {0}, sub = {0};
    void *entry = in->reader_old.entry(threads, &key);
    in->reader_old.read(threads, entry, bird, &name);
    in->reader_old.read(threads, entry, args, &sub);
    snprintf(text, 128, "%s %d args %d", name.text, (int)in->reader_old.size(threads), (int)in->reader_old.size(sub.table));
}

static void refused(const extract_input *in, char *text) {
    value out;
    int failed = in->reader->old.read(nest_table, (void *)0xdead, eggs, &out);
    failed += in->reader->old.entry((void *)0xbeef, &out) == NULL;
    failed += in->reader->old.size(NULL) == (uint64_t)-1;
    snprintf(text, 256, "%d; %s; %s", failed, first_error, in->error(in->owner));
}

int32_t plugin_extract_fields(void *state, const event_input *in, const extract_input *with) {
    static char texts[8][256];
    static const char *at[8];
    for (uint32_t n = 0; n < with->count && n < 8; n++) {
        walk all = {with, texts[n]};
        texts[n][0] = 0;
        switch (with->requests[n].id) {
        case 0: last(with, in->evtnum, texts[n]); break;
        case 1: with->reader->iterate(nest_table, one, &all); break;
        case 2: thread(with, in->evtnum, texts[n]); break;
        case 3: snprintf(texts[n], 256, "%s", listed); break;
        case 4: refused(with, texts[n]); break;
        }
        at[n] = texts[n];
        with->requests[n].text = &at[n];
        with->requests[n].count = 1;
    }
    return 0;
}
#endif
