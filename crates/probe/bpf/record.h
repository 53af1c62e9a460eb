/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the probe sends and what it is told; `src/record.rs` and `src/plan` read and write the same bytes. */
#ifndef EYAS_RECORD_H
#define EYAS_RECORD_H

/* Kinds of a record that are no system calls; a call has its number (64-bit numbering) instead. */
#define KIND_EXEC 0x1001
#define KIND_FORK 0x1002
#define KIND_EXIT 0x1003
/* Those of a snapshot. */
#define KIND_TASK 0x1004
#define KIND_FILE 0x1005

/* Flags of a record. */
#define RECORD_COMPAT 1  /* a 32-bit caller: pointers and longs in its memory have four bytes */
#define RECORD_RING 2  /* an operation of io_uring */
#define RECORD_BASE 4  /* the last blob is the folder from which a name was looked up */
#define RECORD_OUR_ROOT 8  /* paths of the caller begin where ours do */

#define MAX_TEXT 4096
#define RECORD_SIZE 32768
#define SYSCALLS 512
#define RING_OPERATIONS 64

/* The head; blobs follow, each with its length in two bytes before it. */
struct record {
	__u64 ts;
	__u32 pid, tid;
	__u16 kind, flags;
	__u32 size;
	__s64 ret;
	__u64 args[6];
};

/* A task, as life-cycle records and failed execs describe it. */
struct process {
	__u32 pid, tid, ptid, uid, gid, vtid, vpid, pgid, vpgid, loginuid, tty, in_namespace, exe_flags;
	__u32 vm_size, vm_rss, vm_swap;
	__u64 fdlimit, maj_flt, min_flt, cap_inheritable, cap_permitted, cap_effective;
	__u64 exe_ino, exe_ctime, exe_mtime, namespace_start, clone_flags;
	char comm[16];
};

/* What the kernel knows of an open file. */
struct opened {
	__u32 dev, flags;
	__u64 ino;
};

/* Both descriptors of a pair, the inode, and the kernel addresses of both sockets. */
struct pair {
	__s32 fd[2];
	__u64 ino, sock[2];
};

/* Bits of `opened.flags` and `process.exe_flags`. */
#define OPENED_CREATED 1
#define OPENED_UPPER 2
#define OPENED_LOWER 4
#define EXE_WRITABLE 1
#define EXE_UPPER 2
#define EXE_MEMFD 4
#define EXE_LOWER 8

/* Steps of a recipe: each appends one blob. `arg` is a register argument; RETURNED stands for the result. */
#define RETURNED 6
enum op {
	OP_TEXT = 1,  /* string at arg */
	OP_BYTES,  /* `len` bytes at arg */
	OP_SIZED,  /* bytes at arg, their number in argument `len` */
	OP_SIZED_AT,  /* bytes at arg, their number in the word that argument `len` points to */
	OP_DATA,  /* start of the buffer at arg: as much as was moved */
	OP_VECTOR,  /* start of the buffers of an iovec at arg */
	OP_MESSAGE,  /* address in the message head at arg */
	OP_MESSAGE_DATA,  /* start of the data of the message head at arg */
	OP_MESSAGE_CONTROL,  /* control data of the message head at arg */
	OP_FILE,  /* struct opened of a descriptor */
	OP_PATH,  /* names from a descriptor's file up to the root */
	OP_TUPLE,  /* both ends of a socket */
	OP_QUEUE,  /* length and limit of the queue of a listening socket */
	OP_PAIR,  /* struct pair of the two descriptors at arg */
	OP_PROCESS,  /* struct process of the caller */
	OP_STRINGS,  /* strings of an array at arg, one after another */
	OP_ARGUMENTS,  /* arguments of the caller */
	OP_ENVIRONMENT,  /* environment of the caller */
	OP_CGROUPS,  /* names of the caller's cgroups */
	OP_PROGRAM,  /* path of the caller's program */
	OP_POLLED,  /* descriptors at arg that are waited for, their number in the argument behind it */
	OP_BASE,  /* names of the folder from which a name is looked up: of a descriptor's, or with `len` of the caller's */
	OPS,
};
#define STEPS 6

struct step {
	__u8 op, arg;
	__u16 len;
};

/* Tests of a recipe. One whose kind has TEST_OR may fail when one behind it holds, up to the first without; each such
 * group must hold, else the call is not sent. */
#define TEST_OR 128
enum test_kind {
	TEST_RESULT = 1,  /* value 0: succeeded, 1: failed, 2: not zero */
	TEST_ANY_BIT,  /* arg & mask != 0 */
	TEST_NO_BIT,  /* arg & mask == 0 */
	TEST_IN_BITS,  /* bit number arg is set in mask, or arg is value; the first word tells which bits of arg count */
	TEST_FAMILY,  /* the socket in arg has a family whose bit is set in mask */
	TEST_NUMBERS,  /* arg is one of the first `value` words */
	TEST_PORTS,  /* the socket in arg has one of these ports on either side; `value` is the place of another address */
	TEST_NAMES,  /* the caller has, or had when it began, a name of the plan whose bit is set in the first word */
	TEST_USER,  /* the caller's effective user is one of the first `value` words */
	TEST_OTHER_USER,  /* it is not the first word */
	TEST_CONTAINED,  /* the caller is not surely outside of containers */
};
#define TESTS 8
#define NUMBERS 3
#define PORTS 6
/* Places of the address that a call names beside its socket; an argument that is one itself has its number. */
#define ADDRESS_IN_MESSAGE 8
#define NO_PEER 9  /* the socket has no other side */

struct test {
	__u8 kind, arg;
	__u16 value;
	__u32 word[NUMBERS];  /* the last two are a mask; two ports each */
};

/* Which descriptors a call makes or forgets. */
enum makes {
	MAKES_NOTHING,
	MAKES_RESULT,
	MAKES_PAIR,  /* those of the first blob */
	FORGETS_ALL,
	MAKES_MESSAGES,  /* no descriptors, but an event for each message of a vector at argument 1 */
};

struct recipe {
	__u8 on, class, steps, tests, makes, unused[3];
	struct step step[STEPS];
	struct test test[TESTS];
};

/* Names of programs that tests and the sieve speak of. */
#define NAMES 32
struct name {
	__u64 word[2];
};

/* Which opens for reading may matter: those of paths that begin or end in one of these ways, those of programs that had
 * one of these names when they began, those of paths that lead somewhere else than they say, and those that led to a
 * file whose own name ends in one of these ways. */
/* Bytes of a path that count at either end. */
#define PART 8
/* `begin[i][byte]` has a bit for each beginning that may have the byte at that place, or is shorter; `end` counts
 * places from the last. `names` has a bit for each name that matters, and `writing` are the flags of opens that are not
 * for reading a file. `found` is laid out like `end`, and empty without `finds`. */
struct sieve {
	__u32 on, names, failures, writing, finds, unused;
	__u32 begin[PART][256], end[PART][256], found[PART][256];
};

/* What becomes of a call, by its number. */
enum wanted {
	NOT_WANTED,
	WANTED,
	/* Callers of 64 bits pass the sieve first; their places of path and flags differ. */
	SIEVED_OPEN,
	SIEVED_OPENAT,
	SIEVED_OPENAT2,
	SIEVED_CLOSE,
};

/* The plan: may change while the probe runs. */
struct plan {
	__u32 running;
	__u32 data;  /* bytes of buffers that are kept */
	__u32 generation;  /* another number for every plan */
	__u32 names, places;  /* number of names; whether it is asked who is in a container */
	__u32 unused;
	__u8 wanted[SYSCALLS];  /* enum wanted by number, of either kind of caller */
	__u16 compat[SYSCALLS];  /* number of a 32-bit caller to ours, 0xffff when there is none */
	__u16 socketcall[32];  /* what socketcall stands for */
	__u16 ring[RING_OPERATIONS];  /* calls that operations of io_uring stand for */
	struct recipe recipe[SYSCALLS];
	struct name name[NAMES];
	struct sieve sieve;
};

/* Classes in which events and losses are counted. */
enum class {
	CLASS_PROCESS,
	CLASS_OPEN,
	CLASS_NETWORK,
	CLASS_FILE,
	CLASS_OTHER,
	CLASS_LIFE,  /* births, execs and deaths */
	CLASSES,
};

#endif
