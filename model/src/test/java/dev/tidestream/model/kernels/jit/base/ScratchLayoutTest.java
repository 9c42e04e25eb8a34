package dev.tidestream.model.kernels.jit.base;

import java.lang.foreign.MemoryLayout;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Offsets of named parts, and roles of registers. */
class ScratchLayoutTest {
    @Test
    void shouldGiveOffsetsOfPartsInStructsAndUnions() {
        ScratchLayout layout = ScratchLayout.of(
                ScratchLayout.room("tile", 64),
                MemoryLayout.unionLayout(
                        MemoryLayout.structLayout(ScratchLayout.longs("records"), ScratchLayout.longs("rows")),
                        MemoryLayout.structLayout(ScratchLayout.longs("blocks"), ScratchLayout.floats("scale"),
                                ScratchLayout.floats("cap"))),
                ScratchLayout.longs("out"));
        assertEquals(0, layout.offset("tile"));
        assertEquals(64, layout.offset("records"));
        assertEquals(64, layout.offset("blocks"));
        assertEquals(72, layout.offset("rows"));
        assertEquals(76, layout.offset("cap"));
        assertEquals(80, layout.offset("out"));
        assertEquals(88, layout.bytes());
        assertThrows(NullPointerException.class, () -> layout.offset("none"));
    }

    @Test
    void shouldRefuseTwoPartsOfOneNameAndPartsThatAreNotAligned() {
        MemoryLayout part = ScratchLayout.longs("out");
        assertThrows(IllegalArgumentException.class, () -> ScratchLayout.of(part, part));
        MemoryLayout scale = ScratchLayout.floats("scale");
        assertThrows(IllegalArgumentException.class, () -> ScratchLayout.of(scale, part));
    }

    @Test
    void shouldGiveEveryConstantAndTableAPlaceOfItsOwn() {
        Set<Integer> places = new HashSet<>();
        Arrays.stream(VectorConstant.values()).forEach(constant -> assertTrue(places.add(constant.offset()), constant.name()));
        Arrays.stream(WideTable.values()).forEach(table -> assertTrue(places.add(table.offset()), table.name()));
        assertEquals(0, WideTable.SIXES.offset() % WideTable.VECTOR_BYTES, "at a cache line");
    }

    @Test
    void shouldGiveEachRoleRegistersOfItsOwn() {
        VectorRegisters registers = VectorRegisters.ymm();
        RegisterRange sums = registers.take("sums", 4);
        RegisterRange kept = registers.take("constant", 1);
        assertEquals(3, sums.at(3));
        assertEquals(4, kept.only());
        assertEquals("0–3 sums, 4 constant", registers.toString());
        assertThrows(IndexOutOfBoundsException.class, () -> sums.at(4));
        assertThrows(IllegalStateException.class, sums::only);
        assertThrows(IllegalArgumentException.class, () -> registers.take("too many", 12));
        registers.take("the rest", 11);
        assertThrows(IllegalArgumentException.class, () -> registers.take("one more", 1));
    }
}
