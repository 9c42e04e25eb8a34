package dev.tidestream.model.gguf;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** A model in several files: found beside the first, checked against each other, read as one. */
class SplitFileTest {
    @TempDir
    Path folder;

    private static GgufWriter model() {
        GgufWriter model = new GgufWriter().string("general.architecture", "llama").string("only.first", "yes");
        for (int i = 0; i < 5; i++) {
            model.tensor("t" + i, new float[] {i, 10 * i}, 2);
        }
        return model;
    }

    private Path write(String name, byte[] bytes) throws IOException {
        return Files.write(folder.resolve(name), bytes);
    }

    @ParameterizedTest
    @CsvSource({
        "m-00001-of-00003.gguf, m-00002-of-00003.gguf, m-00003-of-00003.gguf",
        "split1of3.gguf, split2of3.gguf, split3of3.gguf",
        "1-of-3-m.1-of-3.Q8_0.gguf, 1-of-3-m.2-of-3.Q8_0.gguf, 1-of-3-m.3-of-3.Q8_0.gguf",
    })
    void shouldReadAllPartsAsOneFile(String first, String second, String third) throws Exception {
        List<byte[]> parts = model().split(3);
        Path path = write(first, parts.get(0));
        write(second, parts.get(1));
        Path last = write(third, parts.get(2));
        FileTime later = FileTime.fromMillis(4_000_000_000_000L);
        Files.setLastModifiedTime(last, later);
        try (GgufFile file = GgufFile.open(path)) {
            assertEquals(List.of(path, path.resolveSibling(second), last), file.parts());
            assertEquals(path, file.path());
            assertEquals(List.of("t0", "t3", "t1", "t4", "t2"), List.copyOf(file.tensors().keySet()), "part after part");
            for (int i = 0; i < 5; i++) {
                GgufTensor tensor = file.tensor("t" + i);
                assertEquals(i % 3, file.part(tensor));
                assertEquals(10f * i, file.data(tensor).get(ValueLayout.JAVA_FLOAT, 4));
                file.willNeed(tensor);
                file.release(tensor);
            }
            file.releaseAll();
            assertEquals("yes", file.metadata().string("only.first"));
            assertEquals(parts.stream().mapToLong(part -> part.length).sum(), file.fileBytes());
            assertEquals(later, file.modified().orElseThrow());
            assertEquals(sha256(parts), file.sha256());
            assertThrows(IllegalArgumentException.class, () -> file.part(new GgufTensor("x", GgmlType.F32, List.of(1L), 0, 4)));
        }
    }

    @Test
    void shouldUnmapEveryPart() throws IOException {
        List<byte[]> parts = model().split(2);
        Path path = write("m-1-of-2.gguf", parts.get(0));
        write("m-2-of-2.gguf", parts.get(1));
        GgufFile file = GgufFile.open(path);
        List<MemorySegment> data = file.tensors().values().stream().map(file::data).toList();
        file.close();
        for (MemorySegment each : data) {
            assertThrows(IllegalStateException.class, () -> each.get(ValueLayout.JAVA_FLOAT, 0));
        }
    }

    private static String sha256(List<byte[]> parts) throws NoSuchAlgorithmException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        parts.forEach(digest::update);
        return HexFormat.of().formatHex(digest.digest());
    }

    @Test
    void shouldKnowAnotherPartFromThis() throws IOException {
        List<byte[]> parts = model().split(2);
        Path path = write("m-1-of-2.gguf", parts.get(0));
        write("m-2-of-2.gguf", parts.get(1));
        List<String> before = hashes(path);
        byte[] other = parts.get(1);
        other[other.length - 32] ^= 1; // a weight
        write("m-2-of-2.gguf", other);
        List<String> after = hashes(path);
        assertNotEquals(before.get(0), after.get(0));
        assertNotEquals(before.get(1), after.get(1));
    }

    private static List<String> hashes(Path path) {
        try (GgufFile file = GgufFile.open(path)) {
            return List.of(file.sha256(), file.sampleHash());
        }
    }

    @Test
    void shouldNameThePartThatIsMissing() throws IOException {
        List<byte[]> parts = model().split(3);
        Path first = write("m-00001-of-00003.gguf", parts.get(0));
        refused(first, "%s: part 1 of 3: part 2 is missing: %s".formatted(first, folder.resolve("m-00002-of-00003.gguf")));
        Path second = write("m-00002-of-00003.gguf", parts.get(1));
        refused(first, "%s: part 1 of 3: part 3 is missing: %s".formatted(first, folder.resolve("m-00003-of-00003.gguf")));
        refused(second, "%s: part 2 of 3: open part 1, which has the metadata: %s".formatted(second, first));
        for (String other : List.of("model.gguf", "m-00001-of-00002.gguf")) {
            refusedItself(write(other, parts.get(0)), "part 1 of 3: the others are found by their names, and this one is not"
                    + " named as a part: it should be NAME-00001-of-00003.gguf, beside NAME-00002-of-00003.gguf");
        }
    }

    @Test
    void shouldRefusePartsThatDoNotBelongTogether() throws IOException {
        Path first = write("m-1-of-2.gguf", model().split(2).get(0));
        Path second = write("m-2-of-2.gguf", model().split(3).get(1));
        refused(first, "%s: says split.no=1 and split.count=3: not part 2 of 2, which %s wants here".formatted(second, first));
        write("m-2-of-2.gguf", model().split(2).get(0));
        refused(first, "%s: says split.no=0 and split.count=2: not part 2 of 2, which %s wants here".formatted(second, first));
        write("m-2-of-2.gguf", new GgufWriter().toByteArray());
        refused(first, "%s: says split.no=0 and split.count=0: not part 2 of 2, which %s wants here".formatted(second, first));
        write("m-2-of-2.gguf", part(1, 2, 5, "t1"));
        refused(first, "%s: split.tensors.count=5, but its 2 parts have 4".formatted(first));
        write("m-2-of-2.gguf", part(1, 2, 5, "t1", "t0"));
        refused(first, "%s: tensor 't0' is in %s, too".formatted(second, first));
        write("m-2-of-2.gguf", new byte[30]);
        refused(first, "%s: header: magic 0x00000000 is not 'GGUF' (0x46554747): not a GGUF file".formatted(second));
    }

    @Test
    void shouldRefuseNumbersOutOfRange() throws IOException {
        refusedItself(write("a-1-of-2.gguf", part(2, 2, 1, "t")), "split.no=2 must be from 0 to 1");
        refusedItself(write("b-1-of-2.gguf", part(-1, 2, 1, "t")), "split.no=-1 must be from 0 to 1");
        refusedItself(write("c-1-of-2.gguf", part(0, -2, 1, "t")), "split.count=-2 must be from 0 to 65535");
        refusedItself(write("d-1-of-2.gguf", part(0, 70_000, 1, "t")), "split.count=70000 must be from 0 to 65535");
        refusedItself(write("e-1-of-2.gguf", new GgufWriter().u16("split.count", 2).toByteArray()),
                "metadata key 'split.no' is missing");
        refusedItself(write("f-1-of-2.gguf", new GgufWriter().string("split.count", "2").toByteArray()),
                "metadata key 'split.count': expected integer, found string 2");
    }

    @Test
    void shouldTakeOnePartOfOneForAWholeFile() throws IOException {
        for (int count : new int[] {0, 1}) { // 0 is what merging leaves behind
            try (GgufFile file = GgufFile.open(write("whole.gguf", part(0, count, 7, "t")))) {
                assertEquals(1, file.tensors().size());
                assertEquals(1, file.parts().size());
            }
        }
    }

    @Test
    void shouldRefuseAPartInMemory() {
        byte[] bytes = model().split(2).getFirst();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(bytes.length, 64).copyFrom(MemorySegment.ofArray(bytes));
            assertEquals("m: split.count=2: a part of a split model, which is not supported in memory",
                    assertThrows(GgufException.class, () -> GgufFile.of(image, "m")).getMessage());
        }
    }

    private static byte[] part(int number, int count, int tensors, String... names) {
        GgufWriter part = new GgufWriter().i32("split.no", number).i32("split.count", count).i32("split.tensors.count", tensors);
        for (String name : names) {
            part.tensor(name, new float[2], 2);
        }
        return part.toByteArray();
    }

    private static void refusedItself(Path path, String reason) {
        refused(path, path + ": " + reason);
    }

    private static void refused(Path path, String message) {
        assertEquals(message, assertThrows(GgufException.class, () -> GgufFile.open(path)).getMessage());
    }
}
