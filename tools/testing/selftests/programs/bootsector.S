/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The whole operating system of the nested guest: a boot sector that the
 * firmware loads from the disk. It reads LBA 1, inverts every bit of it, writes
 * the result to LBA 2, reports on the first serial port and switches the
 * machine off through isa-debug-exit at port 0xf4.
 *
 * Only a working device moves the block, and only the one behind the image.
 */
	.code16
	.text
	.globl	_start

	/* On a page of its own: SeaBIOS's NVMe writes need alignment. */
	.set	buffer, 0x8000

_start:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp
	cld
	movb	%dl, drive

	movw	$msg_start, %si
	call	print

	movb	$0x42, %ah		/* extended read */
	movb	$1, lba
	call	disk

	movw	$msg_read, %si
	call	print
	movw	$buffer, %si
	movw	$8, %cx
1:	lodsb
	call	print_hex
	loop	1b
	movw	$msg_newline, %si
	call	print

	movw	$buffer, %di
	movw	$512, %cx
2:	notb	(%di)
	incw	%di
	loop	2b

	movw	$0x4300, %ax		/* extended write, without verifying */
	movb	$2, lba
	call	disk

	movw	$msg_done, %si
	call	print
	movb	$0x10, %al
	jmp	leave_machine

/* disk: %ah is the function, the LBA is in the packet. */
disk:
	movb	drive, %dl
	movw	$packet, %si
	int	$0x13
	jc	disk_failed
	ret

disk_failed:
	movb	%ah, %bl
	movw	$msg_failed, %si
	call	print
	movb	%bl, %al
	call	print_hex
	movw	$msg_newline, %si
	call	print
	movb	$0x11, %al
	jmp	leave_machine

	.include "bootsector.inc"

msg_start:	.asciz	"boot sector: running\r\n"
msg_read:	.asciz	"boot sector: LBA 1 starts with "
msg_done:	.asciz	"boot sector: LBA 2 written\r\n"
msg_failed:	.asciz	"boot sector: disk error "
msg_newline:	.asciz	"\r\n"

	.balign	4
packet:
	.byte	16, 0
	.word	1			/* sectors */
	.word	buffer, 0
lba:	.quad	0
drive:	.byte	0

	.org	510
	.word	0xaa55
