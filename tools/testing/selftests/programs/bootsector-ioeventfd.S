/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest of one sector that writes the same number to the same register of the
 * function at 00:02.0 again and again: QEMU takes what Nvidia's mirror of config
 * space is for off the slow path then, with an eventfd.
 */
	.code16
	.text
	.globl	_start

	.set	bar0, 0x80001010
	.set	register, 0x880f0
	.set	number, 0x51a3c7e9
	.set	times, 20
	.set	ticks, 36

_start:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp
	cld
	call	reach_all_memory

	movl	$bar0, %eax
	call	read_config
	andl	$~0xf, %eax
	movl	$number, %ebx
	movw	$times, %cx
1:	movl	%ebx, %fs:register(%eax)
	loop	1b

	/* What an eventfd was signalled for is done some time later. */
	sti
	movw	$ticks, %cx
2:	hlt
	loop	2b

	movw	$msg_done, %si
	call	print
	movb	$0x10, %al
	jmp	leave_machine

	.include "bootsector.inc"
	.include "bootsector-pci.inc"

msg_done:	.asciz	"boot sector: written\r\n"

	.org	510
	.word	0xaa55
