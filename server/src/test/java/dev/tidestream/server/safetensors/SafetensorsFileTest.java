package dev.tidestream.server.safetensors;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.protocol.NameMutator;
import dev.tidestream.server.safetensors.SafetensorsException.Reason;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class SafetensorsFileTest {
    private static final String GOOD = "{\"__metadata__\":{\"format\":\"pt\"},"
            + "\"rows\":{\"dtype\":\"BF16\",\"shape\":[2,2],\"data_offsets\":[8,16]},"
            + "\"ids\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[0,8]},"
            + "\"none\":{\"dtype\":\"F32\",\"shape\":[0,4],\"data_offsets\":[16,16]},"
            + "\"scalar\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[16,20]}}  ";

    @TempDir
    Path temp;

    private Path write(byte[] bytes) throws IOException {
        return Files.write(temp.resolve("f.safetensors"), bytes);
    }

    private static byte[] image(String header, int dataBytes) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer image = ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        image.putLong(json.length).put(json);
        for (int i = 0; i < dataBytes; i++) {
            image.put((byte) i);
        }
        return image.array();
    }

    @Test
    void shouldReadTensors() throws Exception {
        try (SafetensorsFile file = SafetensorsFile.open(write(image(GOOD, 20)))) {
            assertEquals(Set.of("rows", "ids", "none", "scalar"), file.tensors().keySet());
            SafetensorsFile.Tensor rows = file.tensor("rows");
            assertEquals(SafetensorsFile.Type.BF16, rows.type());
            assertEquals(List.of(2L, 2L), rows.shape());
            assertArrayEquals(new byte[] {8, 9, 10, 11, 12, 13, 14, 15}, file.data(rows).toArray(ValueLayout.JAVA_BYTE));
            assertArrayEquals(new byte[] {16, 17, 18, 19}, file.data(file.tensor("scalar")).toArray(ValueLayout.JAVA_BYTE));
            assertEquals(0, file.data(file.tensor("none")).byteSize());
            refused(Reason.INVALID_FILE, "no tensor 'x'", () -> file.tensor("x"));
        }
    }

    /** Names that collide in the symbol table of a parser, which would fail for later files, too. */
    @Test
    void shouldReadNamesThatCollide() throws Exception {
        String names = NameMutator.colliding(400).replace(":1", ":\"x\"");
        for (int i = 0; i < 40; i++) {
            String header = GOOD.replace("\"format\":\"pt\"", "\"n" + i + "\":\"x\"," + names);
            try (SafetensorsFile file = SafetensorsFile.open(write(image(header, 20)))) {
                assertEquals(4, file.tensors().size());
            }
        }
    }

    @Test
    void shouldUnmapWhenClosed() throws Exception {
        SafetensorsFile file = SafetensorsFile.open(write(image(GOOD, 20)));
        file.close();
        file.close();
        assertThrows(IllegalStateException.class, () -> file.data(file.tensor("rows")).get(ValueLayout.JAVA_BYTE, 0));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
        // what to replace | by | reason | message
        "[8,16]|[7,15]|INVALID_FILE|overlaps another: begin=7, expected=8",
        "[16,20]|[12,16]|INVALID_FILE|overlaps another",
        "[0,8]|[0,7]|INVALID_FILE|bytes=7, expected=8",
        "[0,8]|[0,8,9]|INVALID_FILE|an array of two",
        "[0,8]|[8,0]|INVALID_FILE|data_offsets leave the file: begin=8, end=0",
        "[0,8]|[-8,0]|INVALID_FILE|must be integers from 0 on: -8",
        "[0,8]|[0,8.0]|INVALID_FILE|must be integers from 0 on: 8.0",
        "[16,20]|[17,21]|INVALID_FILE|data_offsets leave the file: begin=17, end=21, data_bytes=20",
        "[16,20]|[16,99999999999999999999]|INVALID_FILE|99999999999999999999",
        ",\"data_offsets\":[0,8]|,\"x\":[0,8]|INVALID_FILE|unknown field: x",
        "],\"data_offsets\":[0,8]|]|INVALID_FILE|an array of two",
        "\"shape\":[2],|\"shape\":2,|INVALID_FILE|shape must be an array",
        "\"shape\":[2],|\"shape\":[2,1,1,1,1,1,1,1,1],|INVALID_FILE|at most 8",
        "\"shape\":[2],|\"shape\":[9223372036854775807],|INVALID_FILE|shape is too large",
        "\"shape\":[2],|\"shape\":[9223372036854775807,0],|INVALID_FILE|shape is too large",
        "\"I32\"|\"F64\"|INVALID_DTYPE|dtype must be one of [F32, F16, BF16, U8, U16, BOOL, I32, I64]: F64",
        "\"I32\"|7|INVALID_DTYPE|dtype must be one of",
        "{\"format\":\"pt\"}|[]|INVALID_FILE|__metadata__ is not an object",
        "\"pt\"|1|INVALID_FILE|__metadata__ must map strings to strings",
        "\"ids\":|\"rows\":|INVALID_FILE|Duplicate field 'rows'",
        "\"none\":|\"n\":[[[[[]]]]],\"none\":|INVALID_FILE|nesting depth",
        "}  |} x|INVALID_FILE|header is not JSON",
    })
    void shouldSayWhatIsWrongWithAHeader(String what, String by, Reason reason, String message) throws Exception {
        assertTrue(GOOD.contains(what), what);
        Path file = write(image(GOOD.replace(what, by), 20));
        refused(reason, message, () -> SafetensorsFile.open(file));
    }

    @Test
    void shouldRefuseHolesTailsAndWrongLengths() throws Exception {
        refused(Reason.INVALID_FILE, "data_bytes=21, tensor_bytes=20", () -> SafetensorsFile.open(write(image(GOOD, 21))));
        refused(Reason.INVALID_FILE, "leaves a hole before it: begin=4, expected=0", () -> SafetensorsFile.open(write(
                image("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8))));
        refused(Reason.INVALID_FILE, "bytes=7", () -> SafetensorsFile.open(write(new byte[7])));
        refused(Reason.INVALID_FILE, "header length", () -> SafetensorsFile.open(write(new byte[8])));
        byte[] negative = image(GOOD, 20);
        negative[7] = (byte) 0x80;
        refused(Reason.INVALID_FILE, "922337203685", () -> SafetensorsFile.open(write(negative)));
        refused(Reason.INVALID_FILE, "begin with '{'", () -> SafetensorsFile.open(write(image(" {}", 0))));
        refused(Reason.UNREADABLE, "cannot be read", () -> SafetensorsFile.open(temp.resolve("nothing")));
    }

    @Test
    void shouldReadOrRefuseEveryMutation() throws Exception {
        SplittableRandom random = new SplittableRandom(11);
        byte[] good = image(GOOD, 20);
        int read = 0;
        for (int i = 0; i < 3_000; i++) {
            byte[] bad = Arrays.copyOf(good, random.nextInt(4) == 0 ? random.nextInt(good.length) : good.length);
            for (int edits = 1 + random.nextInt(3); edits > 0 && bad.length > 0; edits--) {
                bad[random.nextInt(bad.length)] = (byte) (random.nextBoolean() ? random.nextInt(32, 127) : random.nextInt(256));
            }
            try (SafetensorsFile file = SafetensorsFile.open(write(bad))) {
                file.tensors().values().forEach(t -> assertEquals(t.bytes(), file.data(t).toArray(ValueLayout.JAVA_BYTE).length));
                read++;
            } catch (SafetensorsException e) {
                assertTrue(Set.of(Reason.INVALID_FILE, Reason.INVALID_DTYPE).contains(e.reason()), e.getMessage());
            }
        }
        assertTrue(read > 0 && read < 1_500, "read=" + read);
    }

    private static void refused(Reason reason, String message, Executable action) {
        SafetensorsException e = assertThrows(SafetensorsException.class, action);
        assertEquals(reason, e.reason(), e.getMessage());
        assertTrue(String.valueOf(e.getMessage()).contains(message), e.getMessage());
    }
}
