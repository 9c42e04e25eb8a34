package dev.tidestream.model.kernels.jit;

import java.util.EnumSet;
import java.util.Set;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.kernels.jit.MachinePrograms.Kind;
import dev.tidestream.model.machine.Cpu;
import dev.tidestream.model.tensor.TensorFormat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** Every format has programs of its own, so that nothing is left to other kernels. */
class MachineProgramsTest {
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldHaveProgramsForWhatIsServed(boolean wide) {
        assumeTrue(Cpu.level() != Cpu.Level.NONE, "no machine code here");
        MachinePrograms programs = MachinePrograms.assemble(wide).orElseThrow();
        for (TensorFormat format : TensorFormat.values()) {
            Set<Kind> found = EnumSet.noneOf(Kind.class);
            for (Kind kind : Kind.values()) {
                if (programs.find(format, kind) != null) {
                    found.add(kind);
                }
            }
            assertEquals(format.quantised() ? EnumSet.allOf(Kind.class) : EnumSet.of(Kind.FLOAT_ROW, Kind.FLOAT_ROWS), found, format.name());
        }
    }
}
