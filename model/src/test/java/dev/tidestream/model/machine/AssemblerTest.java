package dev.tidestream.model.machine;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** Every instruction that can be written, against the bytes that another assembler gives it. */
class AssemblerTest {
    private static final String EACH = "{1to16}";
    private static final Pattern ADDRESS = Pattern.compile("\\[(\\w+)\\+(-?\\d+)]");

    static Stream<String> instructions() throws IOException {
        try (InputStream in = Objects.requireNonNull(AssemblerTest.class.getResourceAsStream("/machine/assembled.txt"))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().filter(line -> !line.startsWith("#"));
        }
    }

    @ParameterizedTest
    @MethodSource("instructions")
    void shouldWriteWhatAnotherAssemblerWrites(String line) {
        String[] parts = line.split(" \\| ", -1);
        Assembler code = new Assembler();
        write(code, parts[0]);
        assertEquals(parts[1], HexFormat.ofDelimiter(" ").formatHex(code.toByteArray()));
    }

    static void write(Assembler code, String instruction) {
        String[] words = instruction.split(" ", 2);
        List<String> operands = words.length == 1 ? List.of() : Arrays.asList(words[1].split(", ", -1));
        switch (words[0]) {
            case "vzeroupper" -> code.zeroUpper();
            case "ret" -> code.ret();
            case "prefetcht0" -> code.prefetch(address(operands.get(0)));
            case "mov" -> {
                if (operands.get(0).startsWith("[")) {
                    code.store(address(operands.get(0)), register(operands.get(1)));
                } else if (operands.get(1).startsWith("[")) {
                    code.load(register(operands.get(0)), address(operands.get(1)));
                } else if (operands.get(1).startsWith("r")) {
                    code.move(register(operands.get(0)), register(operands.get(1)));
                } else {
                    code.load(register(operands.get(0)), Integer.parseInt(operands.get(1)));
                }
            }
            case "add" -> {
                if (operands.get(1).startsWith("[")) {
                    code.add(register(operands.get(0)), address(operands.get(1)));
                } else {
                    code.add(register(operands.get(0)), Integer.parseInt(operands.get(1)));
                }
            }
            case "vextracti128" -> code.extractUpperHalf(vector(operands.get(0)), vector(operands.get(1)));
            case "vmovmskps" -> code.signs(register(operands.get(0).replaceFirst("^e", "r").replaceFirst("(?<=\\d)d$", "")),
                    vector(operands.get(1)));
            default -> {
                String name = words[0].toUpperCase(Locale.ROOT);
                if (instruction.contains("zmm")) {
                    wide(code, name, operands);
                } else {
                    vectors(code, name, operands);
                }
            }
        }
    }

    private static void vectors(Assembler code, String name, List<String> operands) {
        if (EnumSet.allOf(Shift.class).stream().anyMatch(shift -> shift.name().equals(name))) {
            code.shift(Shift.valueOf(name), vector(operands.get(0)), vector(operands.get(1)), Integer.parseInt(operands.get(2)));
        } else if (operands.get(0).startsWith("[")) {
            code.vector(VectorOp.valueOf(name + "_STORE"), vector(operands.get(1)), address(operands.get(0)));
        } else if (List.of("VPERMQ", "VPSHUFD", "VROUNDPD").contains(name)) {
            code.vector(VectorOp.valueOf(name), vector(operands.get(0)), 0, vector(operands.get(1)), Integer.parseInt(operands.get(2)));
        } else if (operands.size() == 4 && operands.get(2).startsWith("[")) {
            code.vector(VectorOp.valueOf(name), vector(operands.get(0)), vector(operands.get(1)), address(operands.get(2)),
                    Integer.parseInt(operands.get(3)));
        } else if (operands.size() == 4) {
            code.vector(VectorOp.valueOf(name), vector(operands.get(0)), vector(operands.get(1)), vector(operands.get(2)),
                    Integer.parseInt(operands.get(3)));
        } else if (operands.size() == 3) {
            threeOperands(code, VectorOp.valueOf(name), operands);
        } else if (operands.get(1).startsWith("[")) {
            code.vector(VectorOp.valueOf(name), vector(operands.get(0)), address(operands.get(1)));
        } else {
            code.vector(VectorOp.valueOf(name), vector(operands.get(0)), vector(operands.get(1)));
        }
    }

    private static void wide(Assembler code, String name, List<String> operands) {
        String last = operands.getLast();
        if (EnumSet.allOf(Shift.class).stream().anyMatch(shift -> shift.name().equals(name))) {
            code.wideShift(Shift.valueOf(name), vector(operands.get(0)), vector(operands.get(1)), Integer.parseInt(last));
        } else if (name.equals("VPTERNLOGD") && operands.get(2).startsWith("[")) {
            code.truthEach(vector(operands.get(0)), vector(operands.get(1)), address(operands.get(2).replace(EACH, "")),
                    Integer.parseInt(last));
        } else if (name.equals("VPTERNLOGD")) {
            code.truth(vector(operands.get(0)), vector(operands.get(1)), vector(operands.get(2)), Integer.parseInt(last));
        } else if (operands.get(0).startsWith("[")) {
            code.wide(WideOp.valueOf(name + "_STORE"), vector(last), address(operands.get(0)));
        } else if (name.equals("VPMOVDW")) {
            code.wide(WideOp.VPMOVDW, vector(last), vector(operands.get(0)));
        } else if (last.endsWith(EACH)) {
            code.wideEach(WideOp.valueOf(name), vector(operands.get(0)), vector(operands.get(1)), address(last.replace(EACH, "")));
        } else if (operands.size() == 3 && last.startsWith("[")) {
            code.wide(WideOp.valueOf(name), vector(operands.get(0)), vector(operands.get(1)), address(last));
        } else if (operands.size() == 3) {
            code.wide(WideOp.valueOf(name), vector(operands.get(0)), vector(operands.get(1)), vector(last));
        } else if (last.startsWith("[")) {
            code.wide(WideOp.valueOf(name), vector(operands.get(0)), address(last));
        } else {
            code.wide(WideOp.valueOf(name), vector(operands.get(0)), vector(last));
        }
    }

    private static void threeOperands(Assembler code, VectorOp op, List<String> operands) {
        if (operands.get(2).startsWith("[")) {
            code.vector(op, vector(operands.get(0)), vector(operands.get(1)), address(operands.get(2)));
        } else {
            code.vector(op, vector(operands.get(0)), vector(operands.get(1)), vector(operands.get(2)));
        }
    }

    private static int vector(String name) {
        return Integer.parseInt(name.substring("ymm".length())); // xmm and zmm, too
    }

    private static Register register(String name) {
        return Register.valueOf(name.toUpperCase(Locale.ROOT));
    }

    private static Address address(String text) {
        Matcher matcher = ADDRESS.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(text);
        }
        return new Address(register(matcher.group(1)), Integer.parseInt(matcher.group(2)));
    }

    @Test
    void shouldKnowEveryInstruction() throws IOException {
        assertEquals(true, instructions().anyMatch(line -> line.startsWith("vmovdqu ["))
                && instructions().anyMatch(line -> line.startsWith("vmovups [")));
        List<String> seen = names(instructions().filter(line -> !line.contains("zmm")));
        List<String> seenWide = names(instructions().filter(line -> line.contains("zmm")));
        for (VectorOp op : VectorOp.values()) {
            assertEquals(true, seen.contains(op.name().replace("_STORE", "")), op.name());
        }
        for (WideOp op : WideOp.values()) {
            assertEquals(true, seenWide.contains(op.name().replace("_STORE", "")), op.name());
        }
        for (Shift op : Shift.values()) {
            assertEquals(true, seen.contains(op.name()) && seenWide.contains(op.name()), op.name());
        }
    }

    private static List<String> names(Stream<String> lines) {
        return lines.map(line -> line.split(" ", 2)[0].toUpperCase(Locale.ROOT)).toList();
    }

    @Test
    void shouldJumpBackFromTheEndOfTheJump() {
        Assembler code = new Assembler();
        code.ret();
        Assembler.Label label = code.label("here");
        code.add(Register.RCX, -1);
        code.jumpIfNotZero(label);
        byte[] bytes = code.toByteArray();
        assertArrayEquals(HexFormat.of().parseHex("c3" + "4881c1ffffffff" + "0f85f3ffffff"), bytes);
    }

    @Test
    void shouldRefuseARegisterThatIsNotThere() {
        Assembler code = new Assembler();
        assertThrows(IndexOutOfBoundsException.class, () -> code.vector(VectorOp.VPAND, 16, 0, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> code.vector(VectorOp.VPAND, 0, 16, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> code.vector(VectorOp.VPAND, 0, 0, 16));
        assertThrows(IndexOutOfBoundsException.class, () -> code.shift(Shift.VPSRLD, 0, 16, 1));
        assertThrows(IndexOutOfBoundsException.class, () -> code.wide(WideOp.VPANDD, 32, 0, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> code.wide(WideOp.VPANDD, 0, 32, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> code.wide(WideOp.VPANDD, 0, 0, 32));
        assertThrows(IndexOutOfBoundsException.class, () -> code.wideShift(Shift.VPSRLD, 0, 32, 1));
        Address memory = new Address(Register.RCX, 0);
        assertThrows(IllegalArgumentException.class, () -> code.wideEach(WideOp.VPSHUFB, 0, 0, memory));
    }
}
