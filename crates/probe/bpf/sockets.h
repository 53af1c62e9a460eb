/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Both ends of sockets. */
#ifndef EYAS_SOCKETS_H
#define EYAS_SOCKETS_H

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10

static __always_inline struct sock *sock_of(struct file *file)
{
	struct inode *inode = file ? FIELD(struct file, file, f_inode) : 0;

	if (!inode || (FIELD(struct inode, inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	struct socket *socket = FIELD(struct file, file, private_data);
	return socket ? FIELD(struct socket, socket, sk) : 0;
}

/* Name of a unix socket with its NUL; the NUL before an abstract name is left out. Gives the number of bytes. */
static __always_inline __u32 unix_name(__u8 *out, struct sock *sk)
{
	struct unix_sock *u = (void *)sk;
	struct unix_address *address = u ? BPF_CORE_READ(u, addr) : 0;
	char first = 0;

	out[0] = 0;
	if (!address)
		return 1;
	const char *path = (const char *)address + bpf_core_field_offset(address->name) + 2;
	__s32 size = BPF_CORE_READ(address, len) - 2;
	bpf_probe_read_kernel(&first, 1, path);
	if (!first) {
		path++;
		size--;
	}
	if (size < 0 || size > 108)
		return 1;
	long n = bpf_probe_read_kernel_str(out, size + 1, path);
	return n > 0 ? n & 127 : 1;
}

/* Family; then own address, own port, peer address, peer port (this one in network order); of a unix socket the
 * kernel addresses of both, the own name and the peer's name. */
static __noinline int tuple(struct record *r, struct file *file)
{
	__u8 *out = blob(r);
	struct sock *sk = sock_of(file);
	__u16 family = sk ? FIELD(struct sock, sk, __sk_common.skc_family) : 0;
	__u16 port = sk ? FIELD(struct sock, sk, __sk_common.skc_num) : 0;
	__u16 to = sk ? FIELD(struct sock, sk, __sk_common.skc_dport) : 0;
	__u32 len = 1;

	out[0] = family;
	if (family == AF_INET) {
		BPF_CORE_READ_INTO((__u32 *)(out + 1), sk, __sk_common.skc_rcv_saddr);
		__builtin_memcpy(out + 5, &port, 2);
		BPF_CORE_READ_INTO((__u32 *)(out + 7), sk, __sk_common.skc_daddr);
		__builtin_memcpy(out + 11, &to, 2);
		len = 13;
	} else if (family == AF_INET6) {
		BPF_CORE_READ_INTO((struct in6_addr *)(out + 1), sk, __sk_common.skc_v6_rcv_saddr);
		__builtin_memcpy(out + 17, &port, 2);
		BPF_CORE_READ_INTO((struct in6_addr *)(out + 19), sk, __sk_common.skc_v6_daddr);
		__builtin_memcpy(out + 35, &to, 2);
		len = 37;
	} else if (family == AF_UNIX) {
		struct sock *peer = BPF_CORE_READ((struct unix_sock *)sk, peer);

		/* One store each: a pointer cannot be taken apart. */
		*(__u64 *)(out + 1) = (__u64)sk;
		*(__u64 *)(out + 9) = (__u64)peer;
		len = 17;
		len += unix_name(out + len, sk);
		len += unix_name(out + (len & 255), peer);
	}
	blob_end(r, len);
	return 0;
}

static __always_inline void queue(struct record *r, struct file *file)
{
	__u32 *out = (void *)blob(r);
	struct sock *sk = sock_of(file);

	out[0] = sk ? BPF_CORE_READ(sk, sk_ack_backlog) : 0;
	out[1] = sk ? BPF_CORE_READ(sk, sk_max_ack_backlog) : 0;
	blob_end(r, sk ? 8 : 0);
}

static __always_inline void pair_of(struct record *r, struct task_struct *task, const void *from)
{
	struct pair *out = (void *)blob(r);

	if (bpf_probe_read_user(out->fd, sizeof(out->fd), from) != 0) {
		blob_end(r, 0);
		return;
	}
	struct file *first = file_of(task, out->fd[0]), *second = file_of(task, out->fd[1]);
	out->ino = first ? BPF_CORE_READ(first, f_inode, i_ino) : 0;
	out->sock[0] = (__u64)sock_of(first);
	out->sock[1] = (__u64)sock_of(second);
	blob_end(r, sizeof(*out));
}

/* Parts of a message head in the memory of a program (struct user_msghdr). */
struct message {
	__u64 name, vector, vectors, control, controls;
	__u32 name_len;
};

static __always_inline void message_of(struct message *out, const void *from, bool compat)
{
	__builtin_memset(out, 0, sizeof(*out));
	if (compat) {
		__u32 word[6] = {};

		bpf_probe_read_user(word, sizeof(word), from);
		out->name = word[0];
		out->name_len = word[1];
		out->vector = word[2];
		out->vectors = word[3];
		out->control = word[4];
		out->controls = word[5];
	} else {
		__u64 word[6] = {};

		bpf_probe_read_user(word, sizeof(word), from);
		out->name = word[0];
		out->name_len = word[1];
		out->vector = word[2];
		out->vectors = word[3];
		out->control = word[4];
		out->controls = word[5];
	}
}

#endif
