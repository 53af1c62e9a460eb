/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Rings, the ledger, and the way of a record into a ring. */
#ifndef EYAS_SEND_H
#define EYAS_SEND_H

/* Births, execs and deaths have their own ring, so that no flood of other events displaces them. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} processes SEC(".maps");

#define CALLS_SIZE (16 << 20)
/* Of a ring that is half full, no cgroup gets more than this: a noisy one loses its own events, not those of others. */
#define SHARE_SIZE (CALLS_SIZE / 8)

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, CALLS_SIZE);
} calls SEC(".maps");

/* What one cgroup has sent while the ring was half full and the reader went once around it. */
struct share {
	__u64 round, bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct share);
} shares SEC(".maps");

/* A record may start anywhere below RECORD_SIZE and its last blob may end behind it. */
struct scratch {
	__u8 bytes[RECORD_SIZE * 2];
};

/* Which record of a processor: programs interrupt each other. */
enum slot {
	SLOT_CALL,
	SLOT_LIFE,
	SLOT_RING,
	SLOTS,
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	/* SLOTS for each possible processor; set before load. */
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

struct counts {
	__u64 sent[CLASSES];
	__u64 lost[CLASSES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counts);
} ledger SEC(".maps");

/* Set before load. */
const volatile __u32 own_pid = 0;

struct plan plan SEC(".data.plan");

/* The reader sets this before it sleeps; whoever sends next wakes it. */
__u32 asleep SEC(".data.asleep");

#define plan_word(field) (*(volatile __u32 *)&plan.field)

/* The record that is being written in a slot of this processor. */
static __always_inline struct record *scratch(enum slot slot)
{
	__u32 at = bpf_get_smp_processor_id() * SLOTS + slot;

	return bpf_map_lookup_elem(&scratches, &at);
}

/* A record without its time: that is read when it is known that the record will be sent. */
static __always_inline struct record *blank(__u16 kind, enum slot slot)
{
	struct record *r = scratch(slot);

	if (!r)
		return 0;
	r->kind = kind;
	r->flags = 0;
	r->ret = 0;
	r->size = sizeof(*r);
	return r;
}

static __always_inline struct record *begin(__u16 kind, enum slot slot)
{
	struct record *r = blank(kind, slot);

	if (r)
		r->ts = bpf_ktime_get_boot_ns();
	return r;
}

static __always_inline void count(__u32 class, bool lost)
{
	__u32 zero = 0;
	struct counts *counts = bpf_map_lookup_elem(&ledger, &zero);

	if (!counts || class >= CLASSES)
		return;
	if (lost)
		counts->lost[class]++;
	else
		counts->sent[class]++;
}

/* The record is in the ring already when `asleep` is read, and the reader looks into the ring after it has set it. */
static __always_inline void wake(void *ring)
{
	volatile __u32 *sleeper = &asleep;

	if (!*sleeper)
		return;
	*sleeper = 0;
	void *nothing = bpf_ringbuf_reserve(ring, 8, 0);
	if (nothing)
		bpf_ringbuf_discard(nothing, BPF_RB_FORCE_WAKEUP);
}

static __always_inline void send(void *ring, struct record *r, __u32 class)
{
	__u64 size = r->size & (RECORD_SIZE - 1);
	bool lost = bpf_ringbuf_output(ring, r, size, BPF_RB_NO_WAKEUP) != 0;

	count(class, lost);
	wake(ring);
}

/* Containers differ in the memory cgroup or in the unified hierarchy, by version and delegation of cgroups. */
static __always_inline __u64 cgroup_key(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct css_set *set = BPF_CORE_READ(task, cgroups);
	struct cgroup_subsys_state *state = 0;

	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		bpf_core_read(&state, sizeof(state),
			      &set->subsys[bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id) & 15]);
	__u64 memory = state ? BPF_CORE_READ(state, cgroup, kn, id) : 0;
	return memory << 32 ^ BPF_CORE_READ(set, dfl_cgrp, kn, id);
}

/* Whether the cgroup of the caller may still send when the ring is half full. */
static __always_inline bool has_share(__u64 size)
{
	if (bpf_ringbuf_query(&calls, BPF_RB_AVAIL_DATA) < CALLS_SIZE / 2)
		return 1;
	__u64 key = cgroup_key(), round = bpf_ringbuf_query(&calls, BPF_RB_CONS_POS) / CALLS_SIZE;
	struct share *share = bpf_map_lookup_elem(&shares, &key);
	struct share first = { .round = round, .bytes = size };

	if (!share || share->round != round) {
		bpf_map_update_elem(&shares, &key, &first, BPF_ANY);
		return 1;
	}
	share->bytes += size;
	return share->bytes < SHARE_SIZE;
}

static __always_inline void send_call(struct record *r, __u32 class)
{
	if (has_share(r->size))
		send(&calls, r, class);
	else
		count(class, 1);
}

#endif
