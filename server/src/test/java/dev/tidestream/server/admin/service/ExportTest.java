package dev.tidestream.server.admin.service;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.RandomLlama;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.UpdatesDesk.Tied;
import dev.tidestream.server.admin.VersionsDesk;
import dev.tidestream.server.admin.VersionsDesk.Export;
import dev.tidestream.server.admin.VersionsDesk.ExportFormat;
import dev.tidestream.server.admin.store.CheckpointPolicy;
import dev.tidestream.server.huggingface.Goldens;
import dev.tidestream.server.huggingface.HuggingFaceFolder;
import dev.tidestream.server.safetensors.SafetensorsWriter;

import static dev.tidestream.server.admin.service.DeskFixture.code;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Versions as files, opened again. */
class ExportTest {
    private static final int H = DeskFixture.HIDDEN;

    @TempDir
    Path temp;

    private Path export(VersionsDesk versions, long version, ExportFormat format, String name) throws AdminException, IOException {
        Path file = temp.resolve(name);
        try (Export export = versions.export(version, format); OutputStream out = Files.newOutputStream(file)) {
            for (Optional<byte[]> chunk = export.next(); chunk.isPresent(); chunk = export.next()) {
                out.write(chunk.get());
            }
            out.flush();
            assertEquals(export.bytes(), Files.size(file));
        }
        return file;
    }

    private static Map<String, String> bits(Path file) {
        try (GgufFile source = GgufFile.open(file); LoadedModel model = Goldens.load(source)) {
            return TensorBits.of(model);
        }
    }

    /** Rows that were patched, too: their blocks were encoded when they were, and are written as they are. */
    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"F32", "F16", "BF16", "Q8_0", "Q4_0"})
    void shouldGiveTheSameBitsAsGguf(TensorFormat format) throws Exception {
        DeskFixture.Options options = DeskFixture.Options.DEFAULT.with(new RandomLlama(format).tame());
        try (DeskFixture f = new DeskFixture(temp.resolve("data"), options)) {
            f.send(DeskFixture.rows("a", 1, new int[] {3, 5}, DeskFixture.randomValues(2 * H, 1)));
            f.send(DeskFixture.delta("b", 2, "blk.1.attn_q.weight", List.of((long) H, (long) H), DeskFixture.randomValues(H * H, 2)));
            Map<String, String> third = TensorBits.of(f.current());
            f.send(DeskFixture.delta("c", 3, "output_norm.weight", List.of((long) H), DeskFixture.randomValues(H, 3)));
            assertEquals(TensorBits.of(f.current()), bits(export(f.desk.versions(), 4, ExportFormat.GGUF, "4.gguf")));
            long held = f.current().familyBytes();
            assertEquals(third, bits(export(f.desk.versions(), 3, ExportFormat.GGUF, "3.gguf")), "which is not in memory");
            assertEquals(TensorBits.of(f.first), bits(export(f.desk.versions(), 1, ExportFormat.GGUF, "1.gguf")));
            assertEquals(held, f.current().familyBytes());
            assertEquals(AdminErrorCode.UNKNOWN_VERSION, code(() -> f.desk.versions().export(5, ExportFormat.GGUF).close()));
        }
    }

    @Test
    void shouldHoldItsVersionAndBeOneOfFew() throws Exception {
        try (DeskFixture f = new DeskFixture(temp.resolve("data"))) {
            Export first = f.desk.versions().export(1, ExportFormat.GGUF);
            f.send(DeskFixture.rows("a", 1, new int[] {3}, DeskFixture.randomValues(H, 1)));
            assertEquals(2, f.epochs.liveEpochs());
            try (Export second = f.desk.versions().export(2, ExportFormat.SAFETENSORS)) {
                assertTrue(second.next().isPresent());
                assertEquals(AdminErrorCode.BUSY, code(() -> f.desk.versions().export(2, ExportFormat.GGUF).close()));
            }
            first.close();
            first.close();
            assertEquals(1, f.epochs.liveEpochs());
            f.desk.versions().export(2, ExportFormat.GGUF).close();
        }
    }

    /** Every family and every kind of tie, from folders and files. */
    @Test
    void shouldGiveTheSameLogitsInBothFormats() throws Exception {
        List<String> table = new ArrayList<>();
        Path suite = SharedData.path("ties/suite");
        for (JsonNode entry : Goldens.json(suite.resolve("index.json"))) {
            Path folder = suite.resolve(entry.get("case").asText());
            if (entry.get("kind").asText().equals("base") && Files.exists(folder.resolve("golden.json"))) {
                for (Path start : List.of(folder.resolve("hf"), folder.resolve("model.gguf"))) {
                    if (Files.exists(start)) {
                        table.add(String.format(Locale.ROOT, "%-40s %s", folder.getFileName() + "/" + start.getFileName(),
                                check(start, folder, Integer.toString(table.size()))));
                    }
                }
            }
        }
        table.forEach(System.out::println);
        assertTrue(table.size() >= 8, () -> "cases are missing: " + table.size());
        assertEquals(List.of(), table.stream().filter(line -> line.contains("WRONG")).toList());
    }

    private String check(Path start, Path folder, String name) throws Exception {
        int[] prompt = Goldens.read(folder, Goldens.json(folder.resolve("golden.json")), Goldens.json(folder.resolve("golden.json"))).prompt();
        try (PushedModel model = new PushedModel(start, temp.resolve("data" + name), new CheckpointPolicy(0, 1))) {
            float[] logits = model.logits(prompt);
            String result = same(logits, export(model.desk.versions(), 1, ExportFormat.GGUF, name + ".gguf"), prompt, model) + " as GGUF";
            if (HuggingFaceFolder.isOne(start)) {
                Path weights = export(model.desk.versions(), 1, ExportFormat.SAFETENSORS, name + ".safetensors");
                result += ", " + same(logits, folderOf(start, weights, temp.resolve("folder" + name)), prompt, model) + " as safetensors";
            }
            return result;
        }
    }

    private static String same(float[] logits, Path exported, int[] prompt, PushedModel of) throws Exception {
        boolean tied = of.current().blueprint().tied();
        try (PushedModel again = new PushedModel(
                exported, exported.resolveSibling(exported.getFileName() + ".data"), new CheckpointPolicy(0, 1))) {
            assertArrayEquals(logits, again.logits(prompt));
            assertEquals(tied, again.current().blueprint().tied());
            return tied ? "tied, equal" : "separate, equal";
        } catch (ModelException e) {
            return "WRONG " + e.getMessage();
        }
    }

    /** The folder with other weights. */
    private static Path folderOf(Path folder, Path weights, Path to) throws IOException {
        Files.createDirectory(to);
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(file -> !file.getFileName().toString().contains("safetensors")).toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
        Files.copy(weights, to.resolve("model.safetensors"));
        return to;
    }

    @Test
    void shouldWriteAMatrixOfItsOwnOnceTheHeadHasOne() throws Exception {
        Path base = SharedData.path("ties/suite/base-gpt2-tied/hf");
        try (PushedModel model = new PushedModel(base, temp.resolve("data"), new CheckpointPolicy(0, 1))) {
            Path part = temp.resolve("part.safetensors");
            long vocabulary = model.current().blueprint().vocabularySize();
            long hidden = model.current().blueprint().hiddenSize();
            new SafetensorsWriter().add("lm_head.weight", List.of(vocabulary, hidden),
                    DeskFixture.randomValues((int) (vocabulary * hidden), 1)).write(part);
            model.push(part, Optional.of(Tied.UNTIE));
            int[] prompt = {5, 6, 7, 8};
            float[] logits = model.logits(prompt);
            Path gguf = export(model.desk.versions(), 2, ExportFormat.GGUF, "untied.gguf");
            try (ModelSource source = GgufFile.open(gguf)) {
                assertTrue(source.findTensor("output.weight").isPresent());
            }
            assertEquals("separate, equal", same(logits, gguf, prompt, model));
            try (ModelSource source = GgufFile.open(export(model.desk.versions(), 1, ExportFormat.GGUF, "tied.gguf"))) {
                assertTrue(source.findTensor("output.weight").isEmpty());
            }
        }
    }
}
