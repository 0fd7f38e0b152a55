/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest of one sector with Intel graphics at 00:02.0. It reports on the first
 * serial port what a graphics driver would find: the function's IDs, where ASLS
 * points to, and what is there. Numbers are in hex, as they are in memory from
 * the highest byte to the lowest; the sum is that of all bytes, rotated by a bit
 * after each.
 */
	.code16
	.text
	.globl	_start

	.set	igd, 0x80001000
	.set	igd_asls, igd + 0xfc

	/* In the OpRegion. */
	.set	version, 0x14
	.set	rvda, 0x3ba
	.set	rvds, 0x3c2
	.set	opregion_size, 0x2000

_start:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp
	cld
	call	reach_all_memory

	movw	$msg_ids, %si
	movl	$igd, %eax
	call	read_config
	call	print_number
	movw	$msg_asls, %si
	movl	$igd_asls, %eax
	call	read_config
	call	print_number
	movl	%eax, %ebp

	movw	$msg_signature, %si
	call	print
	xorl	%ebx, %ebx
1:	movb	%fs:(%ebp, %ebx), %al
	call	putc
	incw	%bx
	cmpw	$16, %bx
	jb	1b
	movw	$msg_newline, %si
	call	print

	movw	$msg_version, %si
	movl	%fs:version(%ebp), %eax
	call	print_number
	movw	$msg_rvda, %si
	movl	%fs:rvda(%ebp), %eax
	call	print_number
	movw	$msg_rvds, %si
	movl	%fs:rvds(%ebp), %eax
	call	print_number

	leal	opregion_size(%eax), %ecx
	xorl	%eax, %eax
	xorl	%edx, %edx
2:	movb	%fs:(%ebp), %dl
	addl	%edx, %eax
	roll	$1, %eax
	incl	%ebp
	decl	%ecx
	jnz	2b
	movw	$msg_sum, %si
	call	print_number

	movb	$0x10, %al
	jmp	leave_machine

/* print_number: the string at %si, %eax, and a newline; keeps %eax. */
print_number:
	pushl	%eax
	call	print
	popl	%eax
	pushl	%eax
	movw	$4, %cx
3:	roll	$8, %eax
	call	print_hex_kept
	loop	3b
	movw	$msg_newline, %si
	call	print
	popl	%eax
	ret

print_hex_kept:
	pushl	%eax
	call	print_hex
	popl	%eax
	ret

	.include "bootsector.inc"
	.include "bootsector-pci.inc"

msg_ids:	.asciz	"IDs "
msg_asls:	.asciz	"ASLS "
msg_signature:	.asciz	"signature "
msg_version:	.asciz	"version "
msg_rvda:	.asciz	"RVDA "
msg_rvds:	.asciz	"RVDS "
msg_sum:	.asciz	"sum "
msg_newline:	.asciz	"\r\n"

	.org	510
	.word	0xaa55
