/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Memory of programs and of the kernel into blobs. */
#ifndef EYAS_READ_H
#define EYAS_READ_H

/* A pointer as a number, as functions that are verified once take it. */
static __always_inline __u64 plain(const void *pointer)
{
	__u64 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), &pointer);
	return number;
}

/* Where the bytes of the next blob go. */
static __always_inline __u8 *blob(struct record *r)
{
	return (__u8 *)r + (r->size & (RECORD_SIZE - 1)) + 2;
}

static __always_inline void blob_end(struct record *r, __u64 len)
{
	__u32 at = r->size & (RECORD_SIZE - 1);

	len &= 2 * MAX_TEXT - 1;
	((__u8 *)r)[at] = len & 0xff;
	((__u8 *)r)[at + 1] = len >> 8;
	r->size = at + 2 + len;
}

/* A blob made of parts. Its length is kept in the record, so that the verifier need not follow it through loops. */
static __always_inline __u32 parts_begin(struct record *r)
{
	__u32 at = r->size & (RECORD_SIZE - 1);

	*(volatile __u32 *)&r->size = at + 2;
	return at;
}

static __always_inline __u32 parts_size(struct record *r, __u32 at)
{
	return (*(volatile __u32 *)&r->size - at - 2) & (RECORD_SIZE - 1);
}

static __always_inline __u8 *part(struct record *r)
{
	return (__u8 *)r + (*(volatile __u32 *)&r->size & (RECORD_SIZE - 1));
}

static __always_inline void part_end(struct record *r, long len)
{
	if (len > 0)
		*(volatile __u32 *)&r->size += len;
}

static __always_inline void part_byte(struct record *r, __u8 byte)
{
	*part(r) = byte;
	part_end(r, 1);
}

static __always_inline void parts_end(struct record *r, __u32 at)
{
	__u32 len = parts_size(r, at);

	at &= RECORD_SIZE - 1;
	((__u8 *)r)[at] = len & 0xff;
	((__u8 *)r)[at + 1] = len >> 8;
}

static __always_inline void user_text(struct record *r, const void *from)
{
	long len = bpf_probe_read_user_str(blob(r), MAX_TEXT, from);

	blob_end(r, len > 0 ? len : 0);
}

static __always_inline void kernel_text(struct record *r, const void *from)
{
	long len = bpf_probe_read_kernel_str(blob(r), MAX_TEXT, from);

	blob_end(r, len > 0 ? len : 0);
}

static __always_inline void user_bytes(struct record *r, const void *from, __u64 want)
{
	__u64 len = want < MAX_TEXT ? want : MAX_TEXT;

	if (!from || bpf_probe_read_user(blob(r), len, from) != 0)
		len = 0;
	blob_end(r, len);
}

static __always_inline __u64 user_word(const void *from, bool compat)
{
	__u64 value = 0;

	bpf_probe_read_user(&value, compat ? 4 : 8, from);
	return value;
}

#endif
