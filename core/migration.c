// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live migration: VFIO's states, and the files that users read a device's state from and
 * write it to, for variants that say how theirs is had (<linux/vfio_pci_migration.h>).
 *
 * A user's memory may be a mapping of the very device, so a fault on it takes the core's
 * memory_lock; a reset holds that and calls reset_done(). So what a reset does here is to
 * count, and no lock is held over a user's memory that anybody but readers and writers of
 * that file takes. The order is: @io of a transfer, mmap_lock, memory_lock; and @io, @lock
 * of the device, memory_lock, with no mmap_lock in between, as the device's state is copied
 * from and to a buffer of the transfer's own.
 *
 * A file outlives the device that it is of: whoever ends a transfer marks it, and nothing of
 * the device is looked at any more.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pm_runtime.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core.h"
#include "migration_stream.h"

struct vpv_transfer;

/**
 * struct vpv_migration - a device that can be migrated
 * @refs: of the device, and of each transfer
 * @lock: over the hooks, and what follows but @resets
 * @vvdev: the device; of use while it is open
 * @ops: its hooks
 * @state: VFIO's
 * @transfer: the one that its state is about; NULL: none
 * @resets: how often it was reset
 * @resets_seen: as of @state
 * @changed: woken when a transfer ends
 */
struct vpv_migration {
	struct kref refs;
	/* None is taken below it but what hooks take. */
	struct mutex lock;
	struct vfio_pci_variant_device *vvdev;
	const struct vfio_pci_variant_migration *ops;
	enum vfio_device_mig_state state;
	struct vpv_transfer *transfer;
	atomic_t resets;
	int resets_seen;
	wait_queue_head_t changed;
};

/**
 * struct vpv_transfer - an open file with a device's state
 * @refs: of the file, and of the migration that it belongs to
 * @migration: that one
 * @io: one reader or writer at a time; over the following, and over the user's memory
 * @stream: how far it has got
 * @buffer: what was not read yet, or is not complete yet
 * @at: of these, how many were read or written
 * @filled: of these, how many are there to be read
 * @has_more: the device has more to save
 * @error: why it can't go on; 0: it can. @lock of the migration
 * @is_over: no more than the file is left of it. @lock of the migration
 */
struct vpv_transfer {
	struct kref refs;
	struct vpv_migration *migration;
	/* Held over the user's memory, so taken by nobody else. */
	struct mutex io;
	struct vpv_stream stream;
	u8 *buffer;
	size_t at;
	size_t filled;
	bool has_more;
	int error;
	bool is_over;
};

static void free_migration(struct kref *refs)
{
	kfree(container_of(refs, struct vpv_migration, refs));
}

static void free_transfer(struct kref *refs)
{
	struct vpv_transfer *transfer = container_of(refs, struct vpv_transfer, refs);

	kref_put(&transfer->migration->refs, free_migration);
	kvfree(transfer->buffer);
	kfree(transfer);
}

static void end_transfer(struct vpv_migration *migration)
{
	struct vpv_transfer *transfer = migration->transfer;

	lockdep_assert_held(&migration->lock);
	if (!transfer)
		return;
	if (transfer->stream.at != VPV_AT_END && migration->ops->abort)
		migration->ops->abort(migration->vvdev);
	migration->transfer = NULL;
	transfer->is_over = true;
	wake_up_all(&migration->changed);
	kref_put(&transfer->refs, free_transfer);
}

static bool was_reset(const struct vpv_migration *migration)
{
	return atomic_read(&migration->resets) != migration->resets_seen;
}

/* Resets since the last look: the device runs, and a transfer is of another life of its. */
static void see_resets(struct vpv_migration *migration)
{
	lockdep_assert_held(&migration->lock);
	while (was_reset(migration)) {
		migration->resets_seen = atomic_read(&migration->resets);
		end_transfer(migration);
		migration->state = VFIO_DEVICE_STATE_RUNNING;
		if (migration->ops->reset)
			migration->ops->reset(migration->vvdev);
	}
}

static void report(const struct vpv_migration *migration, const char *what, int error)
{
	dev_warn_ratelimited(&migration->vvdev->core.pdev->dev,
			     "%s: migration: %s failed (error %d)\n",
			     migration->vvdev->variant->name, what, error);
}

/* --- files ---------------------------------------------------------------------- */

/*
 * The device's lock, if the transfer goes on. The function stays awake. Not interruptible: a
 * write that was started anew would bring once more what it had brought before.
 */
static int begin(struct vpv_transfer *transfer)
{
	struct vpv_migration *migration = transfer->migration;
	int ret;

	mutex_lock(&migration->lock);
	/* A device that is gone has no resets to see. */
	if (!transfer->is_over)
		see_resets(migration);
	ret = transfer->is_over ? -ENODEV : transfer->error;
	if (!ret)
		ret = pm_runtime_resume_and_get(&migration->vvdev->core.pdev->dev);
	if (ret)
		mutex_unlock(&migration->lock);
	return ret;
}

/* @ret: what came of it. What it was in a device that was reset meanwhile is nobody's. */
static int end(struct vpv_transfer *transfer, int ret)
{
	struct vpv_migration *migration = transfer->migration;

	pm_runtime_put(&migration->vvdev->core.pdev->dev);
	if (was_reset(migration)) {
		see_resets(migration);
		ret = -ENODEV;
	} else if (ret) {
		transfer->error = ret;
	}
	mutex_unlock(&migration->lock);
	return ret;
}

/* The next chunk and its record, or the end. */
static int save(struct vpv_transfer *transfer)
{
	struct vpv_stream_record *record = (struct vpv_stream_record *)transfer->buffer;
	struct vpv_migration *migration = transfer->migration;
	const struct vfio_pci_variant_migration *ops = migration->ops;
	struct vpv_stream *stream = &transfer->stream;
	ssize_t length = 0;

	if (transfer->has_more) {
		transfer->has_more = false;
		memset(record + 1, 0, ops->chunk_max);
		length = ops->save(migration->vvdev, record + 1, stream->total,
				   &transfer->has_more);
		if (!length || length > (ssize_t)ops->chunk_max)
			length = -EIO;
		if (length < 0)
			return length;
	}
	if (vpv_stream_put(stream, length ? VPV_STREAM_DATA : VPV_STREAM_END, length, record))
		return -EFBIG;
	transfer->filled = sizeof(*record) + length;
	return 0;
}

static int refill(struct vpv_transfer *transfer)
{
	struct vpv_stream *stream = &transfer->stream;
	int ret;

	ret = begin(transfer);
	if (ret)
		return ret;
	transfer->at = 0;
	transfer->filled = 0;
	if (stream->at == VPV_AT_HEADER) {
		memcpy(transfer->buffer, &stream->own, sizeof(stream->own));
		transfer->filled = sizeof(stream->own);
		stream->at = VPV_AT_RECORD;
	} else if (stream->at != VPV_AT_END) {
		ret = save(transfer);
		if (ret)
			report(transfer->migration, "saving", ret);
	}
	return end(transfer, ret);
}

/* Is what is left in the buffer still to be had? */
static int check(struct vpv_transfer *transfer)
{
	int ret = begin(transfer);

	return ret ?: end(transfer, 0);
}

static ssize_t vpv_transfer_read(struct file *file, char __user *buf, size_t count,
				 loff_t *ppos)
{
	struct vpv_transfer *transfer = file->private_data;
	size_t done = 0, n;
	int ret;

	if (mutex_lock_interruptible(&transfer->io))
		return -ERESTARTSYS;
	ret = check(transfer);
	while (!ret && done < count) {
		if (transfer->at == transfer->filled) {
			ret = refill(transfer);
			if (ret || !transfer->filled)
				break;
		}
		n = min(count - done, transfer->filled - transfer->at);
		if (copy_to_user(buf + done, transfer->buffer + transfer->at, n)) {
			ret = -EFAULT;
			break;
		}
		transfer->at += n;
		done += n;
	}
	mutex_unlock(&transfer->io);
	return done ?: ret;
}

/* What is in the buffer is complete. */
static int load(struct vpv_transfer *transfer)
{
	struct vpv_migration *migration = transfer->migration;
	struct vpv_stream *stream = &transfer->stream;
	bool is_chunk = stream->at == VPV_AT_CHUNK;
	u64 offset = stream->total;
	const char *fault;
	int ret;

	fault = vpv_stream_take(stream, transfer->buffer);
	if (fault) {
		dev_warn_ratelimited(&migration->vvdev->core.pdev->dev, "%s: migration: what was to be loaded is refused: %s\n",
				     migration->vvdev->variant->name, fault);
		return -EINVAL;
	}
	if (!is_chunk)
		return 0;
	ret = vpv_errno(migration->ops->load(migration->vvdev, transfer->buffer, transfer->at,
					     offset));
	if (ret)
		report(migration, "loading", ret);
	return ret;
}

static ssize_t vpv_transfer_write(struct file *file, const char __user *buf, size_t count,
				  loff_t *ppos)
{
	struct vpv_transfer *transfer = file->private_data;
	size_t done = 0, need, n;
	int ret;

	if (mutex_lock_interruptible(&transfer->io))
		return -ERESTARTSYS;
	ret = check(transfer);
	while (!ret && done < count) {
		need = vpv_stream_need(&transfer->stream);
		n = min(count - done, need - transfer->at);
		if (copy_from_user(transfer->buffer + transfer->at, buf + done, n)) {
			ret = -EFAULT;
			break;
		}
		transfer->at += n;
		done += n;
		if (transfer->at < need)
			break;
		ret = begin(transfer);
		if (ret)
			break;
		ret = end(transfer, load(transfer));
		transfer->at = 0;
	}
	mutex_unlock(&transfer->io);
	/* An error is of what was written here, part of it or all. */
	return ret ?: done;
}

static __poll_t vpv_transfer_poll(struct file *file, struct poll_table_struct *wait)
{
	struct vpv_transfer *transfer = file->private_data;
	struct vpv_migration *migration = transfer->migration;
	__poll_t ready = file->f_mode & FMODE_READ ? EPOLLIN | EPOLLRDNORM :
						     EPOLLOUT | EPOLLWRNORM;

	poll_wait(file, &migration->changed, wait);
	/* Nobody waits for a reader or writer here; both find out what it is. */
	if (READ_ONCE(transfer->is_over) || READ_ONCE(transfer->error) ||
	    was_reset(migration))
		ready |= EPOLLERR;
	return ready;
}

static int vpv_transfer_release(struct inode *inode, struct file *file)
{
	struct vpv_transfer *transfer = file->private_data;

	kref_put(&transfer->refs, free_transfer);
	return 0;
}

/* Which of the two it is for is the file's mode. */
static const struct file_operations vpv_transfer_fops = {
	.owner = THIS_MODULE,
	.read = vpv_transfer_read,
	.write = vpv_transfer_write,
	.poll = vpv_transfer_poll,
	.release = vpv_transfer_release,
	.llseek = noop_llseek,
};

static void fill_header(const struct vpv_migration *migration,
			struct vpv_stream_header *header)
{
	const struct vfio_pci_variant_device *vvdev = migration->vvdev;
	const struct vfio_pci_variant *of = vvdev->adopted ?: vvdev->variant;
	struct pci_dev *pdev = vvdev->core.pdev;

	*header = (struct vpv_stream_header) {
		.chunk_max = cpu_to_le32(migration->ops->chunk_max),
		.size_max = cpu_to_le64(migration->ops->size_max),
		.vendor = cpu_to_le16(pdev->vendor),
		.device = cpu_to_le16(pdev->device),
		.subvendor = cpu_to_le16(pdev->subsystem_vendor),
		.subdevice = cpu_to_le16(pdev->subsystem_device),
		.class_revision = cpu_to_le32(pdev->class << 8 | pdev->revision),
	};
	strscpy_pad(header->variant, of->name, sizeof(header->variant));
	vpv_stream_seal(header);
}

/* The migration's, with one more reference for a file. */
static struct vpv_transfer *alloc_transfer(struct vpv_migration *migration)
{
	struct vpv_transfer *transfer;

	transfer = kzalloc(sizeof(*transfer), GFP_KERNEL_ACCOUNT);
	if (!transfer)
		return NULL;
	transfer->buffer = kvzalloc(max(sizeof(struct vpv_stream_header),
					sizeof(struct vpv_stream_record) +
					migration->ops->chunk_max), GFP_KERNEL_ACCOUNT);
	if (!transfer->buffer) {
		kfree(transfer);
		return NULL;
	}
	kref_init(&transfer->refs);
	mutex_init(&transfer->io);
	kref_get(&migration->refs);
	transfer->migration = migration;
	transfer->has_more = true;
	fill_header(migration, &transfer->stream.own);
	return transfer;
}

static struct file *start_transfer(struct vpv_migration *migration, bool saving)
{
	struct vpv_transfer *transfer = alloc_transfer(migration);
	struct file *file;

	if (!transfer)
		return ERR_PTR(-ENOMEM);
	file = anon_inode_getfile(saving ? "[vfio-pci-saving]" : "[vfio-pci-loading]",
				  &vpv_transfer_fops, transfer, saving ? O_RDONLY : O_WRONLY);
	if (IS_ERR(file)) {
		kref_put(&transfer->refs, free_transfer);
		return file;
	}
	/* No positions: what was read is gone, as from a pipe. */
	stream_open(file->f_inode, file);
	kref_get(&transfer->refs);
	migration->transfer = transfer;
	return file;
}

/* --- states --------------------------------------------------------------------- */

static int stand(struct vpv_migration *migration, bool still,
		 enum vfio_pci_migration_level level)
{
	const struct vfio_pci_variant_migration *ops = migration->ops;
	int ret;

	ret = vpv_errno((still ? ops->suspend : ops->resume)(migration->vvdev, level));
	if (ret)
		report(migration, still ? "standing still" : "going on", ret);
	return ret;
}

/* What was loaded in part is nobody's, until the device was reset. */
static int finish_loading(struct vpv_migration *migration)
{
	struct vpv_transfer *transfer = migration->transfer;
	int ret = transfer->error;

	if (!ret && transfer->stream.at != VPV_AT_END) {
		dev_warn_ratelimited(&migration->vvdev->core.pdev->dev, "%s: migration: what was to be loaded is refused: it ends too early\n",
				     migration->vvdev->variant->name);
		ret = -EINVAL;
	}
	if (!ret) {
		ret = vpv_errno(migration->ops->load_done(migration->vvdev));
		if (ret)
			report(migration, "loading", ret);
	}
	end_transfer(migration);
	if (ret)
		migration->state = VFIO_DEVICE_STATE_ERROR;
	return ret;
}

#define ARC(__from, __to) (VFIO_DEVICE_STATE_##__from << 8 | VFIO_DEVICE_STATE_##__to)

/* One arc. A file, or NULL, or an errno with which the state stays, but for loading. */
static struct file *step(struct vpv_migration *migration, enum vfio_device_mig_state next)
{
	int ret = 0;

	switch (migration->state << 8 | next) {
	case ARC(RUNNING, RUNNING_P2P):
		ret = stand(migration, true, VFIO_PCI_MIGRATION_P2P);
		break;
	case ARC(RUNNING_P2P, STOP):
		ret = stand(migration, true, VFIO_PCI_MIGRATION_FULL);
		break;
	case ARC(STOP, RUNNING_P2P):
		ret = stand(migration, false, VFIO_PCI_MIGRATION_P2P);
		break;
	case ARC(RUNNING_P2P, RUNNING):
		ret = stand(migration, false, VFIO_PCI_MIGRATION_RUNNING);
		break;
	case ARC(STOP, STOP_COPY):
		return start_transfer(migration, true);
	case ARC(STOP, RESUMING):
		return start_transfer(migration, false);
	case ARC(STOP_COPY, STOP):
		end_transfer(migration);
		break;
	case ARC(RESUMING, STOP):
		ret = finish_loading(migration);
		break;
	default:
		ret = -EINVAL;
	}
	return ERR_PTR(ret);
}

/* On the way to @new; vfio_mig_get_next_state() warns of a device that has failed. */
static int find_next(struct vpv_migration *migration, enum vfio_device_mig_state new,
		     enum vfio_device_mig_state *next)
{
	if (migration->state == VFIO_DEVICE_STATE_ERROR)
		return -EINVAL;
	return vfio_mig_get_next_state(&migration->vvdev->core.vdev, migration->state, new, next);
}

static struct file *vpv_set_state(struct vfio_device *vdev, enum vfio_device_mig_state new)
{
	struct vpv_migration *migration = vdev_to_vvdev(vdev)->migration;
	enum vfio_device_mig_state next;
	struct file *file = NULL;
	int ret = 0;

	mutex_lock(&migration->lock);
	see_resets(migration);
	while (!ret && migration->state != new) {
		ret = find_next(migration, new, &next);
		if (ret)
			break;
		file = step(migration, next);
		ret = PTR_ERR_OR_ZERO(file);
		if (!ret)
			migration->state = next;
		if (was_reset(migration)) {
			see_resets(migration);
			if (!ret && file)
				fput(file);
			ret = ret ?: -EIO;
		}
	}
	mutex_unlock(&migration->lock);
	return ret ? ERR_PTR(ret) : file;
}

static int vpv_get_state(struct vfio_device *vdev, enum vfio_device_mig_state *state)
{
	struct vpv_migration *migration = vdev_to_vvdev(vdev)->migration;

	mutex_lock(&migration->lock);
	see_resets(migration);
	*state = migration->state;
	mutex_unlock(&migration->lock);
	return 0;
}

/* Kernels that have the question ask it of every device that can be migrated. */
#ifdef VFIO_DEVICE_FEATURE_MIG_DATA_SIZE
static int vpv_get_size(struct vfio_device *vdev, unsigned long *length)
{
	struct vpv_migration *migration = vdev_to_vvdev(vdev)->migration;
	u64 size;

	mutex_lock(&migration->lock);
	see_resets(migration);
	size = migration->ops->size(migration->vvdev);
	mutex_unlock(&migration->lock);
	size = clamp_t(u64, size, 1, migration->ops->size_max);
	*length = size + sizeof(struct vpv_stream_header) +
		  (div64_u64(size - 1, migration->ops->chunk_max) + 2) *
		  sizeof(struct vpv_stream_record);
	return 0;
}
#endif

static const struct vfio_migration_ops vpv_migration_ops = {
	.migration_set_state = vpv_set_state,
	.migration_get_state = vpv_get_state,
#ifdef VFIO_DEVICE_FEATURE_MIG_DATA_SIZE
	.migration_get_data_size = vpv_get_size,
#endif
};

/* --- what the device goes through ------------------------------------------------ */

/**
 * vpv_migration_fault - what is wrong with a variant's migration?
 * @ops: its hooks
 *
 * Return: that, or NULL.
 */
const char *vpv_migration_fault(const struct vfio_pci_variant_migration *ops)
{
	if (!ops)
		return NULL;
	if (!ops->suspend || !ops->resume || !ops->size || !ops->save || !ops->load ||
	    !ops->load_done)
		return "its migration lacks a hook";
	if (!ops->chunk_max || ops->chunk_max > VFIO_PCI_MIGRATION_CHUNK_MAX)
		return "chunk_max of its migration is 0 or above VFIO_PCI_MIGRATION_CHUNK_MAX";
	if (!ops->size_max)
		return "size_max of its migration is 0";
	return NULL;
}

/**
 * vpv_migration_bind - have a device that can be migrated say so
 * @vvdev: the device, which nobody can open yet
 * @ops: how
 *
 * Return: 0, or -ENOMEM. vpv_migration_free() undoes it.
 */
int vpv_migration_bind(struct vfio_pci_variant_device *vvdev,
		       const struct vfio_pci_variant_migration *ops)
{
	struct vpv_migration *migration;

	if (!ops)
		return 0;
	migration = kzalloc(sizeof(*migration), GFP_KERNEL);
	if (!migration)
		return -ENOMEM;
	kref_init(&migration->refs);
	mutex_init(&migration->lock);
	init_waitqueue_head(&migration->changed);
	migration->vvdev = vvdev;
	migration->ops = ops;
	migration->state = VFIO_DEVICE_STATE_RUNNING;
	vvdev->migration = migration;
	vvdev->core.vdev.mig_ops = &vpv_migration_ops;
	vvdev->core.vdev.migration_flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P;
	return 0;
}

/**
 * vpv_migration_free - let go of what files may still hold
 * @vvdev: the device, with its last reference gone
 */
void vpv_migration_free(struct vfio_pci_variant_device *vvdev)
{
	if (vvdev->migration)
		kref_put(&vvdev->migration->refs, free_migration);
}

/* It was not reset since, as it can't be. */
static int go_on(struct vpv_migration *migration)
{
	int ret = 0;

	if (migration->state == VFIO_DEVICE_STATE_STOP) {
		ret = stand(migration, false, VFIO_PCI_MIGRATION_P2P);
		if (!ret)
			migration->state = VFIO_DEVICE_STATE_RUNNING_P2P;
	}
	if (migration->state == VFIO_DEVICE_STATE_RUNNING_P2P) {
		ret = stand(migration, false, VFIO_PCI_MIGRATION_RUNNING);
		if (!ret)
			migration->state = VFIO_DEVICE_STATE_RUNNING;
	}
	if (migration->state != VFIO_DEVICE_STATE_ERROR)
		return ret;
	pci_warn(migration->vvdev->core.pdev, "%s: not opened: a state was loaded into it in part, and it was not reset since; reset it, or power cycle the machine\n",
		 migration->vvdev->variant->name);
	return -EIO;
}

/**
 * vpv_migration_open - a user finds the device running
 * @vvdev: the device, enabled; dev_set lock held
 *
 * Return: 0, or an errno: it can't be had to run.
 */
int vpv_migration_open(struct vfio_pci_variant_device *vvdev)
{
	struct vpv_migration *migration = vvdev->migration;
	int ret;

	if (!migration)
		return 0;
	mutex_lock(&migration->lock);
	see_resets(migration);
	ret = go_on(migration);
	mutex_unlock(&migration->lock);
	return ret;
}

/**
 * vpv_migration_close - no transfer goes on
 * @vvdev: the device, before it is disabled; dev_set lock held
 *
 * Waits for a hook that is running.
 */
void vpv_migration_close(struct vfio_pci_variant_device *vvdev)
{
	struct vpv_migration *migration = vvdev->migration;

	if (!migration)
		return;
	mutex_lock(&migration->lock);
	see_resets(migration);
	end_transfer(migration);
	if (migration->state == VFIO_DEVICE_STATE_STOP_COPY)
		migration->state = VFIO_DEVICE_STATE_STOP;
	else if (migration->state == VFIO_DEVICE_STATE_RESUMING)
		migration->state = VFIO_DEVICE_STATE_ERROR;
	mutex_unlock(&migration->lock);
}

/**
 * vpv_migration_reset - the device was reset
 * @vvdev: the device; device lock held, and maybe the core's memory_lock
 *
 * At any time. What follows from it is seen to by who comes next.
 */
void vpv_migration_reset(struct vfio_pci_variant_device *vvdev)
{
	struct vpv_migration *migration = vvdev->migration;

	if (!migration)
		return;
	atomic_inc(&migration->resets);
	wake_up_all(&migration->changed);
}
