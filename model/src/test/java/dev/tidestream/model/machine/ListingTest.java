package dev.tidestream.model.machine;

import java.util.HexFormat;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** What an assembler says that it wrote, against the text that another assembler read. */
class ListingTest {
    @ParameterizedTest
    @MethodSource("dev.tidestream.model.machine.AssemblerTest#instructions")
    void shouldSayWhatWasWritten(String line) {
        String[] parts = line.split(" \\| ", -1);
        Assembler code = Assembler.withListing();
        AssemblerTest.write(code, parts[0]);
        Listing.Instruction instruction = code.listing().instructions().getFirst();
        assertEquals(parts[0].replaceAll("\\+(-\\d)", "$1"), instruction.text());
        assertEquals(parts[1], instruction.hex());
        assertEquals(1, code.listing().instructions().size());
    }

    @Test
    void shouldNameLabelsAndJumps() {
        Assembler code = Assembler.withListing();
        Assembler.Label outer = code.label("row");
        code.add(Register.RCX, -1);
        Assembler.Label inner = code.label("row");
        code.zeroUpper();
        code.jumpIfNotZero(inner);
        code.jumpIfNotZero(outer);
        code.bytes(0x0F, 0xA2);
        List<Listing.Instruction> all = code.listing().instructions();
        assertEquals(List.of("add rcx, -1", "vzeroupper", "jnz row_2", "jnz row", "db 2"),
                all.stream().map(Listing.Instruction::text).toList());
        assertEquals(List.of(0, 7, 10, 16, 22), all.stream().map(Listing.Instruction::offset).toList());
        assertEquals(List.of("row"), all.get(0).labels());
        assertEquals(List.of("row_2"), all.get(1).labels());
        assertEquals("0f a2", all.getLast().hex());
    }

    @Test
    void shouldWriteTheSameBytesWithAndWithoutAListing() {
        Assembler listed = Assembler.withListing();
        Assembler plain = new Assembler();
        for (Assembler code : List.of(listed, plain)) {
            Assembler.Label label = code.label("block");
            code.prefetch(new Address(Register.R9, 1088));
            code.jumpIfNotZero(label);
        }
        assertArrayEquals(plain.toByteArray(), listed.toByteArray());
        assertEquals("410f1889400400000f85f2ffffff", HexFormat.of().formatHex(plain.toByteArray()));
        assertThrows(IllegalStateException.class, plain::listing);
    }
}
