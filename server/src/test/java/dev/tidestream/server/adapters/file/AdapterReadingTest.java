package dev.tidestream.server.adapters.file;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.adapter.Adapter;
import dev.tidestream.model.adapter.AdapterException;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgmlType;
import dev.tidestream.model.gguf.GgufWriter;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.quantisation.WeightFormats;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.EmbeddingLayer;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.TiedHeads;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.TestModels;
import dev.tidestream.server.huggingface.Goldens;
import dev.tidestream.server.huggingface.HuggingFaceFolder;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Adapters that differ in one thing from those of the golden data: what is refused, and in which words; what is the same in other
 * forms.
 */
class AdapterReadingTest {
    private static final String SUITE = "ties/suite";
    private static final String LAYER_1 = "base_model.model.model.layers.1.self_attn.";
    private static final String HEAD = "base_model.model.lm_head.";
    private static final String EMBEDDING = "base_model.model.model.embed_tokens.";
    private static final int[] PROMPT = {1, 45, 258, 273, 300, 7, 64, 440};

    private static LoadedModel base;

    @TempDir
    private Path temp;

    @BeforeAll
    static void load() {
        base = model("base-tied-embed-only", WeightFormats.AS_THEY_ARE);
    }

    @AfterAll
    static void close() {
        base.close();
    }

    private static LoadedModel model(String name, WeightFormats formats) {
        try (ModelSource source = HuggingFaceFolder.open(SharedData.path(SUITE).resolve(name).resolve("hf"))) {
            return new ModelLoader(source, formats).load(
                    KernelSelection.fastest(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE);
        }
    }

    private static EditedAdapter adapter(String of) throws Exception {
        return new EditedAdapter(SharedData.path(SUITE).resolve("adapter-" + of).resolve("adapter"));
    }

    interface Edit {
        void apply(EditedAdapter adapter);
    }

    private static Arguments refused(String of, Edit edit, String... words) {
        return Arguments.of(of, edit, List.of(words));
    }

    private static Arguments config(String of, Consumer<ObjectNode> change, String... words) {
        return refused(of, adapter -> adapter.configured(change), words);
    }

    static Stream<Arguments> wrong() {
        String q = LAYER_1 + "q_proj.lora_";
        return Stream.of(
                refused("qv", a -> a.without(q + "B.weight"), "half a pair", "layers.1.self_attn.q_proj.lora_B.weight"),
                refused("qv", a -> a.without(q + "A.weight").without(q + "B.weight"), "target_modules", "layers.1.self_attn.q_proj"),
                refused("qv", a -> a.renamed(q + "A.weight", "model.x.lora_A.weight"), "would not be used", "model.x.lora_A.weight"),
                refused("qv", a -> a.renamed(q + "A.weight", "base_model.model.transformer.wpe.lora_embedding_A"),
                        "would not be used", "transformer.wpe", "learned positions"),
                refused("qv", a -> a.renamed(q + "A.weight", LAYER_1 + "q_proj.bias"), "would not be used", "q_proj.bias"),
                refused("qv", a -> a.renamed(q + "A.weight", q + "A.default.weight"), "would not be used", "lora_A.default.weight"),
                refused("qv", a -> a.renamed(q + "A.weight", LAYER_1 + "q_proj.lora_embedding_A"), "would not be used", "lora_embedding_A"),
                refused("qv", a -> a.renamed(q + "A.weight", q + "magnitude_vector"), "would not be used", "lora_magnitude_vector"),
                refused("qv", a -> a.renamed(q + "A.weight", "base_model.model.model.layers.2.self_attn.q_proj.lora_A.weight"),
                        "would not be used", "layers.2.self_attn.q_proj"),
                refused("qv", a -> a.renamed(q + "A.weight", "base_model.model." + "a.".repeat(1000) + "lora_A.weight"),
                        "would not be used"),
                refused("qv", a -> a.nan(q + "B.weight"), "layers.1.self_attn.q_proj.lora_B.weight", "row=63, column=7"),
                config("qv", c -> c.put("r", 4), "[8, 64]", "[4, 64]", "q_proj.lora_A"),
                config("qv", c -> c.putArray("target_modules").add("q_proj"), "would not be used", "v_proj", "target_modules"),
                config("qv", c -> c.put("target_modules", "all-linear"), "target_modules", "has no tensors"),
                config("qv", c -> c.put("layers_to_transform", 0), "would not be used", "layers.1"),
                config("qv", c -> c.put("exclude_modules", ".*\\.1\\..*v_proj"), "would not be used", "layers.1.self_attn.v_proj"),
                config("qv", c -> c.put("peft_type", "IA3"), "peft_type=", "IA3"),
                config("qv", c -> c.put("use_of_tomorrow", 2), "use_of_tomorrow=2"),
                config("qv", c -> c.put("lora_bias", true), "lora_bias"),
                config("qv", c -> c.put("init_lora_weights", "pissa_niter_4"), "pissa_niter_4"),
                config("qv", c -> c.putObject("rank_pattern").put("(([a-z_.0-9]+)+)+\\2\\2\\2X", 8), "rank_pattern", "too many steps"),
                config("qv", c -> c.putObject("rank_pattern").put("(", 8), "rank_pattern", "not a pattern"),
                config("qv", c -> c.putArray("modules_to_save").add("norm"), "modules_to_save", "norm"),
                config("qv", c -> c.putArray("modules_to_save").add("lm_head"), "modules_to_save", "lm_head", "no tensors"),
                refused("head", a -> a.changed(HEAD + "base_layer.weight"), "another base", "lm_head.base_layer.weight"),
                refused("embed", a -> a.changed(EMBEDDING + "base_layer.weight"), "another base", "embed_tokens.base_layer.weight"),
                refused("head", a -> a.renamed(HEAD + "base_layer.weight", HEAD + "weight").changed(HEAD + "weight"), "another base"),
                refused("embed-tied", a -> a.changed(HEAD + "lora_A.weight"), "ensure_weight_tying", "differ"),
                refused("save-embed-tied", a -> a.changed(HEAD + "weight"), "ensure_weight_tying", "lm_head.weight"),
                config("tokens", c -> c.putArray("trainable_token_indices").add(1).add(2), "[6, 64]", "[2, 64]"),
                config("tokens", c -> tokens(c, 1, 2, 3, 4, 5, 1), "there twice", "token=1"),
                config("tokens", c -> tokens(c, 1, 2, 3, 4, 5, 512), "vocabulary=512", "token=512"),
                config("tokens", c -> c.remove("trainable_token_indices"), "would not be used", "trainable_tokens_delta"),
                refused("tokens", a -> a.without(EMBEDDING + "token_adapter.trainable_tokens_delta"), "trainable_token_indices"));
    }

    private static void tokens(ObjectNode config, int... ids) {
        var array = config.putArray("trainable_token_indices");
        for (int id : ids) {
            array.add(id);
        }
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void shouldRefuseAndName(String of, Edit edit, List<String> words) throws Exception {
        EditedAdapter edited = adapter(of);
        edit.apply(edited);
        Path folder = edited.write(temp.resolve("adapter"));
        String message = String.valueOf(assertThrows(AdapterException.class,
                () -> AdapterFiles.read(folder, base).adapter().close()).getMessage());
        words.forEach(word -> assertTrue(message.contains(word), message));
    }

    private static float[] logits(LoadedModel model, @Nullable Adapter adapter) {
        LanguageModel pass = model.newTransformer(WorkerTeam.sequential(), ActivationPrecision.F32, KvType.F32, 16);
        float[] logits = new float[PROMPT.length * pass.vocabularySize()];
        pass.forward(List.of(new Slice(TestModels.cache(pass, PROMPT.length), PROMPT, 0, PROMPT.length, LogitsRows.ALL, adapter)), logits);
        return logits;
    }

    private float[] logits(LoadedModel model, Path path) throws Exception {
        try (Adapter adapter = AdapterFiles.read(path, model).adapter()) {
            return logits(model, adapter);
        }
    }

    static Stream<Arguments> same() {
        return Stream.of(
                config("qv", c -> c.put("target_modules", ".*\\.(q|v)_proj")),
                config("qv", c -> c.putArray("layers_to_transform").add(0).add(1)),
                config("qv", c -> c.put("lora_alpha", 1).putObject("alpha_pattern").put("self_attn.[qv]_proj", 16)),
                config("qv", c -> c.put("r", 3).putObject("rank_pattern").put(".*_proj", 8)),
                refused("head", a -> a.without(HEAD + "base_layer.weight")),
                refused("head", a -> a.renamed(HEAD + "base_layer.weight", HEAD + "weight")),
                refused("embed-tied", a -> a.without(EMBEDDING + "lora_embedding_A").without(EMBEDDING + "lora_embedding_B")),
                refused("save-embed-tied", a -> a.without(HEAD + "weight")),
                config("tokens", c -> c.putObject("trainable_token_indices").putArray("embed_tokens")
                        .add(45).add(258).add(273).add(300).add(321).add(440)));
    }

    @ParameterizedTest
    @MethodSource("same")
    void shouldBeTheSameInAnotherForm(String of, Edit edit, List<String> none) throws Exception {
        EditedAdapter edited = adapter(of);
        edit.apply(edited);
        assertArrayEquals(logits(base, SharedData.path(SUITE).resolve("adapter-" + of).resolve("adapter")),
                logits(base, edited.write(temp.resolve("adapter"))));
        assertTrue(none.isEmpty());
    }

    @Test
    void shouldWarnThatNothingIsTiedInABaseOfTwoMatrices() throws Exception {
        try (LoadedModel untied = model("base-untied-both", WeightFormats.AS_THEY_ARE)) {
            ReadAdapter read = AdapterFiles.read(SharedData.path(SUITE).resolve("adapter-head-tied").resolve("adapter"), untied);
            try (Adapter adapter = read.adapter()) {
                assertFalse(read.tied());
                assertTrue(read.warnings().getFirst().contains("ensure_weight_tying"), read.warnings().toString());
                assertTrue(adapter.changesHead() && adapter.changesLookup());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(HeadMode.class)
    void shouldAddToTheHeadInEveryMode(HeadMode mode) throws Exception {
        EmbeddingLayer head = base.buildHead(mode, Map.of(), TiedHeads::build, WorkerTeam.sequential());
        try (LoadedModel other = base.successor(Map.of(), head)) {
            Path path = SharedData.path(SUITE).resolve("adapter-head").resolve("adapter");
            float[] packed = logits(base, path);
            assertTrue(Goldens.difference(packed, logits(other, path)) < 1e-4);
            assertTrue(Goldens.difference(packed, logits(other, (Adapter) null)) > 1);
        }
    }

    @Test
    void shouldTakeACopyOfTheBaseBesideAQuantisedOne() throws Exception {
        WeightFormats formats = new WeightFormats(Optional.of(TensorFormat.Q8_0), Optional.empty());
        try (LoadedModel quantised = model("base-tied-embed-only", formats)) {
            ReadAdapter read = AdapterFiles.read(SharedData.path(SUITE).resolve("adapter-head").resolve("adapter"), quantised);
            read.adapter().close();
            assertTrue(read.warnings().getFirst().contains("Q8_0"), read.warnings().toString());
        }
    }

    @Test
    void shouldReadAGgufFileOfTheSameAdapter() throws Exception {
        EditedAdapter peft = adapter("embed-and-head");
        EditedAdapter layers = adapter("qv");
        GgufWriter gguf = new GgufWriter().string("general.type", "adapter").string("general.architecture", "llama")
                .string("adapter.type", "lora").float32("adapter.lora.alpha", 16);
        for (int layer = 0; layer < 2; layer++) {
            for (String name : List.of("q", "v")) {
                String key = "base_model.model.model.layers.%d.self_attn.%s_proj.lora_".formatted(layer, name);
                String tensor = "blk.%d.attn_%s.weight".formatted(layer, name);
                add(gguf, tensor + ".lora_a", layers.tensor(key + "A.weight"), false);
                add(gguf, tensor + ".lora_b", layers.tensor(key + "B.weight"), name.equals("q"));
                peft.tensors.put(key + "A.weight", layers.tensor(key + "A.weight"));
                peft.tensors.put(key + "B.weight", layers.tensor(key + "B.weight"));
            }
        }
        peft.config.putArray("target_modules").add("q_proj").add("v_proj").add("lm_head").add("embed_tokens");
        add(gguf, "output.weight.lora_a", peft.tensor(HEAD + "lora_A.weight"), false);
        add(gguf, "output.weight.lora_b", peft.tensor(HEAD + "lora_B.weight"), false);
        add(gguf, "token_embd.weight.lora_a", transposed(peft.tensor(EMBEDDING + "lora_embedding_A")), false);
        add(gguf, "token_embd.weight.lora_b", peft.tensor(EMBEDDING + "lora_embedding_B"), false);
        Path file = Files.write(temp.resolve("adapter.gguf"), gguf.toByteArray());
        assertArrayEquals(logits(base, peft.write(temp.resolve("peft"))), logits(base, file));
        assertEquals(8, AdapterFiles.read(file, base).highestRank());
    }

    private static EditedAdapter.Tensor transposed(EditedAdapter.Tensor tensor) {
        int rows = tensor.shape().getFirst().intValue();
        int columns = tensor.shape().getLast().intValue();
        byte[] out = new byte[tensor.data().length];
        int bytes = tensor.type().bytes();
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                System.arraycopy(tensor.data(), (row * columns + column) * bytes, out, (column * rows + row) * bytes, bytes);
            }
        }
        return new EditedAdapter.Tensor(tensor.type(), List.of((long) columns, (long) rows), out);
    }

    /** With the halves of each head of 16 rows interleaved, or as it is. */
    private static void add(GgufWriter gguf, String name, EditedAdapter.Tensor tensor, boolean interleaved) {
        int rows = tensor.shape().getFirst().intValue();
        int rowBytes = tensor.data().length / rows;
        int headDim = base.blueprint().layers().getFirst().attention().headDim();
        byte[] out = new byte[tensor.data().length];
        for (int row = 0; row < rows; row++) {
            int in = row % headDim;
            int from = interleaved ? row - in + in / 2 + (in % 2 == 0 ? 0 : headDim / 2) : row;
            System.arraycopy(tensor.data(), from * rowBytes, out, row * rowBytes, rowBytes);
        }
        gguf.tensor(name, GgmlType.valueOf(tensor.type().name()), out,
                tensor.shape().getLast(), tensor.shape().getFirst());
    }
}
