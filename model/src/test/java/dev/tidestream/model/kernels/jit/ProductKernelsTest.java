package dev.tidestream.model.kernels.jit;

import java.util.EnumSet;
import java.util.Set;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.jit.ProductKernels.Kind;
import dev.tidestream.model.machine.Cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** What has programs of its own; products of other formats are left to the other kernels (docs/adr/0011-avx-512-programs.md). */
class ProductKernelsTest {
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldHaveProgramsForWhatIsServed(boolean wide) {
        assumeTrue(Cpu.level() != Cpu.Level.NONE, "no machine code here");
        ProductKernels programs = ProductKernels.assemble(wide).orElseThrow();
        for (TensorFormat format : TensorFormat.values()) {
            Set<Kind> found = EnumSet.noneOf(Kind.class);
            for (Kind kind : Kind.values()) {
                if (programs.find(format, kind) != null) {
                    found.add(kind);
                }
            }
            assertEquals(switch (format) {
                case F32, F16, BF16 -> EnumSet.of(Kind.FLOAT_ROW, Kind.FLOAT_ROWS);
                case Q4_0, Q8_0, Q4_K, Q5_K, Q6_K -> EnumSet.allOf(Kind.class);
                case Q2_K, Q3_K, Q4_1, Q5_0, Q5_1, IQ4_NL -> EnumSet.noneOf(Kind.class);
                case TQ1_0, TQ2_0, I2_S -> EnumSet.of(Kind.ROW, Kind.ROWS);
            }, found, format.name());
        }
    }
}
