/**
 * Machine code written at run time: an assembler for the few AVX2 and AVX-512 instructions that the kernels use, and memory that
 * may be executed. Knows nothing of tensors. Why it is there: docs/adr/0010-machine-code.md, docs/adr/0011-avx-512-programs.md.
 */
@NullMarked
package dev.tidestream.model.machine;

import org.jspecify.annotations.NullMarked;
