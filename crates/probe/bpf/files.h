/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the kernel knows of files: device, inode, layer, path. */
#ifndef EYAS_FILES_H
#define EYAS_FILES_H

#define COMPONENTS 48
#define MAX_NAME 256
#define AT_FDCWD -100
#define FMODE_CREATED 0x100000
#define OVERLAY_MAGIC 0x794c7630
#define TMPFS_MAGIC 0x01021994
#define S_IFMT 0170000
#define S_IFREG 0100000
#define S_IFSOCK 0140000
#define NSEC 1000000000ull
/* The low part of the nanoseconds; a multigrain timestamp keeps a flag above it (4e40eff0b573). */
#define NSEC_MASK 0x3fffffff

/* Makes a kernel pointer one that can be loaded from; since 6.2 (a35b9af4ec2c). */
extern void *bpf_rdonly_cast(const void *pointer, __u32 type) __ksym __weak;

/* A field by a plain load when the kernel can check pointers of ours, else by a copy. */
#define FIELD(type, pointer, field) \
	(bpf_rdonly_cast ? ((type *)bpf_rdonly_cast(pointer, bpf_core_type_id_kernel(type)))->field : \
			   BPF_CORE_READ(pointer, field))

static __always_inline struct file *file_of(struct task_struct *task, __s64 fd)
{
	struct files_struct *files = FIELD(struct task_struct, task, files);
	struct fdtable *table = files ? FIELD(struct files_struct, files, fdt) : 0;

	if (fd < 0 || !table || fd >= FIELD(struct fdtable, table, max_fds))
		return 0;
	/* A structure that begins with a pointer stands for the pointer. */
	struct list_head *place = (void *)(FIELD(struct fdtable, table, fd) + fd);
	return (void *)FIELD(struct list_head, place, next);
}

/* An overlay inode is followed by its upper dentry (struct ovl_inode). */
static __always_inline bool in_upper_layer(struct inode *inode)
{
	struct dentry *upper = 0;

	bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
	return upper && BPF_CORE_READ(upper, d_inode);
}

static __always_inline void file_facts(struct record *r, struct file *file)
{
	struct opened *out = (void *)blob(r);
	struct inode *inode = file ? FIELD(struct file, file, f_inode) : 0;

	if (!inode) {
		blob_end(r, 0);
		return;
	}
	struct super_block *sb = FIELD(struct inode, inode, i_sb);
	out->dev = FIELD(struct super_block, sb, s_dev);
	out->ino = FIELD(struct inode, inode, i_ino);
	out->flags = FIELD(struct file, file, f_mode) & FMODE_CREATED ? OPENED_CREATED : 0;
	if (FIELD(struct super_block, sb, s_magic) == OVERLAY_MAGIC)
		out->flags |= in_upper_layer(inode) ? OPENED_UPPER : OPENED_LOWER;
	blob_end(r, sizeof(*out));
}

static __always_inline __u64 changed(struct inode *inode)
{
	if (bpf_core_field_exists(inode->i_ctime_sec))
		return BPF_CORE_READ(inode, i_ctime_sec) * NSEC + (BPF_CORE_READ(inode, i_ctime_nsec) & NSEC_MASK);
	struct inode___mid *mid = (void *)inode;
	if (bpf_core_field_exists(mid->__i_ctime))
		return BPF_CORE_READ(mid, __i_ctime.tv_sec) * NSEC + BPF_CORE_READ(mid, __i_ctime.tv_nsec);
	struct inode___old *old = (void *)inode;
	return BPF_CORE_READ(old, i_ctime.tv_sec) * NSEC + BPF_CORE_READ(old, i_ctime.tv_nsec);
}

static __always_inline __u64 modified(struct inode *inode)
{
	if (bpf_core_field_exists(inode->i_mtime_sec))
		return BPF_CORE_READ(inode, i_mtime_sec) * NSEC + (BPF_CORE_READ(inode, i_mtime_nsec) & NSEC_MASK);
	struct inode___mid *mid = (void *)inode;
	if (bpf_core_field_exists(mid->__i_mtime))
		return BPF_CORE_READ(mid, __i_mtime.tv_sec) * NSEC + BPF_CORE_READ(mid, __i_mtime.tv_nsec);
	struct inode___old *old = (void *)inode;
	return BPF_CORE_READ(old, i_mtime.tv_sec) * NSEC + BPF_CORE_READ(old, i_mtime.tv_nsec);
}

/* Whether a place is below a folder of its file system, or is that folder. Not static, so that it is verified once. */
__noinline int is_below(__u64 from, __u64 folder)
{
	struct dentry *dentry = (void *)from;

	for (int i = 0; i < COMPONENTS && dentry; i++) {
		struct dentry *parent = FIELD(struct dentry, dentry, d_parent);

		if ((__u64)dentry == folder)
			return 1;
		if (dentry == parent)
			break;
		dentry = parent;
	}
	return 0;
}

/* Whether the root of a mount has a name of its own in the mount below it: the file system is mounted upon itself. */
static __always_inline bool is_bound(struct dentry *root, struct mount *mount, struct mount *up)
{
	return FIELD(struct mount, mount, mnt.mnt_sb) == FIELD(struct mount, up, mnt.mnt_sb) &&
	       is_below(plain(root), plain(FIELD(struct mount, up, mnt.mnt_root)));
}

/* Names from a place up to the root of its mount tree, each ended by NUL; through a folder that is mounted upon its own
 * file system (a bind mount) those that are beneath it. A file without a place in any directory (memfd, pipe) gives
 * its one name and an empty one. */
static __noinline int names_of(struct record *r, struct dentry *dentry, struct vfsmount *vfs)
{
	struct mount *mount = vfs ? (void *)vfs - bpf_core_field_offset(struct mount, mnt) : 0;
	__u32 at = parts_begin(r);

	for (int i = 0; i < COMPONENTS && dentry; i++) {
		struct dentry *parent = FIELD(struct dentry, dentry, d_parent);

		if (dentry == FIELD(struct mount, mount, mnt.mnt_root)) {
			struct mount *up = FIELD(struct mount, mount, mnt_parent);

			if (up == mount)
				break;
			if (!is_bound(dentry, mount, up))
				dentry = FIELD(struct mount, mount, mnt_mountpoint);
			mount = up;
			continue;
		}
		if (parts_size(r, at) > MAX_TEXT - MAX_NAME)
			break;
		part_end(r, bpf_probe_read_kernel_str(part(r), MAX_NAME, FIELD(struct dentry, dentry, d_name.name)));
		if (dentry == parent) {
			part_byte(r, 0);
			break;
		}
		dentry = parent;
	}
	parts_end(r, at);
	return 0;
}

/* Where the paths of this process begin. */
__u64 own_root[2];

static __always_inline void note_root(struct task_struct *task)
{
	own_root[0] = plain(BPF_CORE_READ(task, fs, root.mnt));
	own_root[1] = plain(BPF_CORE_READ(task, fs, root.dentry));
}

static __always_inline void base_of(struct record *r, struct task_struct *task, __s32 fd, bool own)
{
	struct fs_struct *fs = BPF_CORE_READ(task, fs);
	struct file *file = own || fd == AT_FDCWD ? 0 : file_of(task, fd);

	r->flags |= RECORD_BASE;
	if (plain(BPF_CORE_READ(fs, root.mnt)) == own_root[0] && plain(BPF_CORE_READ(fs, root.dentry)) == own_root[1])
		r->flags |= RECORD_OUR_ROOT;
	if (file)
		names_of(r, BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt));
	else
		names_of(r, BPF_CORE_READ(fs, pwd.dentry), BPF_CORE_READ(fs, pwd.mnt));
}

static __always_inline void path_of(struct record *r, struct file *file)
{
	struct dentry *dentry = file ? FIELD(struct file, file, f_path.dentry) : 0;
	struct vfsmount *mount = file ? FIELD(struct file, file, f_path.mnt) : 0;

	names_of(r, dentry, mount);
}

#endif
