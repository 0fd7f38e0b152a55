/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest of one sector with QEMU's edu device at 00:05.0. It has factorials computed
 * and says on the first serial port what came out, in hex.
 */
	.code16
	.text
	.globl	_start

	.set	edu_command, 0x80002804
	.set	edu_bar0, 0x80002810

	.set	factorial, 0x08
	.set	status, 0x20

_start:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp
	cld
	call	reach_all_memory

	/* The firmware gave it an address. */
	movl	$edu_command, %eax
	call	read_config
	orb	$2, %al
	outl	%eax, %dx
	movl	$edu_bar0, %eax
	call	read_config
	andb	$0xf0, %al
	movl	%eax, %ebp

	movl	$5, %ecx
	call	compute
	movl	$20, %ecx
	call	compute
	movb	$0x10, %al
	jmp	leave_machine

/* compute: the factorial of %ecx at %ebp, and print it. */
compute:
	movl	%ecx, %fs:factorial(%ebp)
1:	testl	$1, %fs:status(%ebp)
	jnz	1b
	movl	%fs:factorial(%ebp), %ebx
	movw	$msg_factorial, %si
	call	print
	movw	$4, %cx
2:	roll	$8, %ebx
	movb	%bl, %al
	call	print_hex
	loop	2b
	movw	$msg_newline, %si
	jmp	print

	.include "bootsector.inc"
	.include "bootsector-pci.inc"

msg_factorial:	.asciz	"factorial "
msg_newline:	.asciz	"\r\n"

	.org	510
	.word	0xaa55
