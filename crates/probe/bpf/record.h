/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the probe sends: a fixed head and blobs. The loader turns it into events of the event table. */
#ifndef EYAS_RECORD_H
#define EYAS_RECORD_H

/* Kinds of a record; a system call has its number instead. */
#define KIND_EXEC 0x10001
#define KIND_FORK 0x10002
#define KIND_EXIT 0x10003

/* What is sent besides the registers. */
#define WANT_STRING0 1  /* string at argument 0; the next five likewise */
#define WANT_SOCKADDR 64  /* address at argument 1, its length in argument 2 */
#define WANT_TUPLE 128  /* both ends of the socket in argument 0 */
#define WANT_TUPLE_RET 256  /* both ends of the socket that was returned */
#define WANT_FILE 512  /* device and inode of the file that was returned */
#define WANT_INTS 1024  /* the pair of descriptors at argument 0 */
#define WANT_INTS3 2048  /* the pair of descriptors at argument 3 */
#define WANT_ON 0x80000000

#define MAX_TEXT 4096
#define RECORD_SIZE 32768

struct record {
	__u64 ts;
	__u32 pid, tid, ppid, kind;
	__s64 ret;
	__u64 args[6];
	__u32 uid, gid;
	__u64 dev, ino;
	__u16 blobs, unused;
	__u32 size;
};

/* Follows the head of KIND_EXEC and KIND_FORK records. */
struct process {
	__u32 vtid, vpid, pgid, vpgid, sid, loginuid, tty, flags;
	__u64 fdlimit, maj_flt, min_flt, vm_pages, cap_inheritable, cap_permitted, cap_effective, exe_ino;
	char comm[16];
};

/* Classes in which events and losses are counted. */
enum class {
	CLASS_PROCESS,
	CLASS_OPEN,
	CLASS_NETWORK,
	CLASS_FILE,
	CLASS_OTHER,
	CLASSES,
};

#endif
