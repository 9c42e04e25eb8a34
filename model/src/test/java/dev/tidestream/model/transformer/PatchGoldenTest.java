package dev.tidestream.model.transformer;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgmlType;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.patch.PatchDtype;
import dev.tidestream.model.patch.PatchKind;
import dev.tidestream.model.patch.PatchResult;
import dev.tidestream.model.patch.TensorPatcher;
import dev.tidestream.model.patch.WeightPatch;
import dev.tidestream.model.tensor.PanelBytes;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.panel.PanelPacker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

/**
 * Replacing a tensor by the floats of the Hugging Face folder must give the bytes that llama.cpp's converter and llama-quantize
 * wrote for the same floats. Lives here because {@code model.patch} knows no files.
 */
class PatchGoldenTest {
    private static final Map<String, String> NAMES = Map.ofEntries(
            Map.entry("token_embd", "embed_tokens"), Map.entry("attn_q", "self_attn.q_proj"),
            Map.entry("attn_k", "self_attn.k_proj"), Map.entry("attn_v", "self_attn.v_proj"),
            Map.entry("attn_output", "self_attn.o_proj"), Map.entry("ffn_gate", "mlp.gate_proj"),
            Map.entry("ffn_up", "mlp.up_proj"), Map.entry("ffn_down", "mlp.down_proj"));
    private static final Map<String, String> GPT2_NAMES = Map.of("token_embd", "wte", "position_embd", "wpe",
            "attn_qkv", "attn.c_attn", "attn_output", "attn.c_proj", "ffn_up", "mlp.c_fc", "ffn_down", "mlp.c_proj");

    @ParameterizedTest
    @CsvSource({
        "llama3, llama3-Q8_0, Q8_0, 15", "llama3, llama3-Q4_0, Q4_0, 14",
        "qwen2, qwen2-Q4_0, Q4_0, 14", "qwen2, qwen2-Q4_0, Q8_0, 1", "qwen2, qwen2-F16, F16, 15",
        "qwen3, qwen3-Q8_0, Q8_0, 15", "gemma3, gemma3-Q8_0, Q8_0, 50", "gemma3, gemma3-Q4_0, Q4_0, 49",
        "gpt2, gpt2-Q8_0, Q8_0, 9", "gpt2, gpt2-Q4_0, Q4_0, 8",
        "gpt2_prefixed, gpt2_prefixed-BF16, BF16, 9", "gpt2_prefixed, gpt2_prefixed-F16_with_output, F16, 9"
    })
    void shouldWriteTheBytesOfTheFile(String model, String file, TensorFormat format, int tensors) throws IOException {
        Safetensors floats = Safetensors.read(model);
        int compared = 0;
        try (GgufFile gguf = GgufFile.open(SharedData.path("golden/models/%s/gguf/%s.gguf".formatted(model, file)))) {
            for (GgufTensor tensor : gguf.tensors().values()) {
                if (tensor.type() == GgmlType.valueOf(format.name()) && !tensor.name().equals("output.weight")) {
                    int rows = Math.toIntExact(tensor.dimensions().get(1));
                    int columns = Math.toIntExact(tensor.dimensions().get(0));
                    float[] source = floats.matrix(tensor.name(), model, rows, columns);
                    byte[] expected = gguf.data(tensor).toArray(ValueLayout.JAVA_BYTE);
                    assertArrayEquals(expected, stored(format, rows, columns, source), tensor.name());
                    compared++;
                }
            }
        }
        assertEquals(tensors, compared);
    }

    /** K-quants are searched for, so the bytes may differ; the error must not be larger by more than rounding explains. */
    @ParameterizedTest
    @CsvSource({"llama3, llama3-Q4_K_M, Q4_K", "llama3, llama3-Q4_K_M, Q6_K", "llama3, llama3-Q6_K, Q6_K"})
    void shouldLoseNoMoreThanLlamaQuantize(String model, String file, TensorFormat format) throws IOException {
        Safetensors floats = Safetensors.read(model);
        double ours = 0;
        double theirs = 0;
        int compared = 0;
        try (GgufFile gguf = GgufFile.open(SharedData.path("golden/models/%s/gguf/%s.gguf".formatted(model, file)));
                Arena arena = Arena.ofShared()) {
            for (GgufTensor tensor : gguf.tensors().values()) {
                if (tensor.type() == GgmlType.valueOf(format.name())) {
                    int rows = Math.toIntExact(tensor.dimensions().get(1));
                    int columns = Math.toIntExact(tensor.dimensions().get(0));
                    float[] source = floats.matrix(tensor.name(), model, rows, columns);
                    PanelMatrix packed = PanelPacker.pack(
                            tensor.name(), format, rows, columns, gguf.data(tensor), arena, WorkerTeam.sequential());
                    theirs += squaredError(packed, source);
                    ours += squaredError(replaced(format, rows, columns, source, arena), source);
                    compared++;
                }
            }
        }
        assertTrue(compared > 0);
        assertTrue(ours <= 1.001 * theirs, "squared error: ours=%s, theirs=%s".formatted(ours, theirs));
    }

    private static double squaredError(PanelMatrix stored, float[] source) {
        float[] row = new float[stored.columns()];
        double sum = 0;
        for (int r = 0; r < stored.rows(); r++) {
            stored.copyRow(r, row, 0);
            for (int k = 0; k < row.length; k++) {
                sum += Math.pow((double) row[k] - source[r * row.length + k], 2);
            }
        }
        return sum;
    }

    private static byte[] stored(TensorFormat format, int rows, int columns, float[] source) {
        try (Arena arena = Arena.ofShared()) {
            return PanelBytes.rowMajor(replaced(format, rows, columns, source, arena));
        }
    }

    /** Zeros, replaced by the floats. */
    private static PanelMatrix replaced(TensorFormat format, int rows, int columns, float[] source, Arena arena) {
        WorkerTeam team = WorkerTeam.sequential();
        MemorySegment zeros = arena.allocate(rows * format.rowBytes(columns));
        PanelMatrix base = PanelPacker.pack("w", format, rows, columns, zeros, arena, team);
        ByteBuffer payload = ByteBuffer.allocate(source.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        payload.asFloatBuffer().put(source);
        var patch = new WeightPatch(
                PatchKind.REPLACE, List.of((long) rows, (long) columns), PatchDtype.F32, 0, MemorySegment.ofBuffer(payload));
        PatchResult result = TensorPatcher.apply("w", new WeightTensor.Matrix(base), patch, arena, team,
                (_, _, _, _, _, _) -> fail("nothing to multiply"));
        return ((WeightTensor.Matrix) result.tensor()).panels();
    }

    /** As much of a safetensors file as the golden models need. */
    private record Safetensors(JsonNode front, ByteBuffer data) {
        static Safetensors read(String model) throws IOException {
            ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(
                    SharedData.path("golden/models/" + model + "/hf/model.safetensors"))).order(ByteOrder.LITTLE_ENDIAN);
            int frontBytes = Math.toIntExact(file.getLong());
            JsonNode front = new ObjectMapper().readTree(file.array(), 8, frontBytes);
            return new Safetensors(front, file.slice(8 + frontBytes, file.capacity() - 8 - frontBytes)
                    .order(ByteOrder.LITTLE_ENDIAN));
        }

        /** The matrix that the converter made of it. */
        float[] matrix(String gguf, String model, int rows, int columns) {
            String[] part = gguf.split("\\.", -1);
            boolean inLayer = part[0].equals("blk");
            boolean gpt2 = model.startsWith("gpt2");
            String last = inLayer ? part[2] : part[0];
            String name;
            if (gpt2) {
                name = (model.equals("gpt2_prefixed") ? "transformer." : "") + (inLayer ? "h." + part[1] + "." : "")
                        + GPT2_NAMES.get(last) + ".weight";
            } else {
                name = "model." + (inLayer ? "layers." + part[1] + "." : "") + NAMES.get(last) + ".weight";
            }
            JsonNode entry = front.required(name);
            List<Integer> shape = new ArrayList<>();
            entry.required("shape").forEach(dimension -> shape.add(dimension.asInt()));
            float[] values = values(entry, rows * columns);
            if (gpt2 && inLayer) { // Conv1D lies the other way round
                assertEquals(List.of(columns, rows), shape, name);
                return transposed(values, rows, columns);
            }
            assertEquals(List.of(rows, columns), shape, name);
            boolean rotary = model.equals("llama3") && (last.equals("attn_q") || last.equals("attn_k"));
            return rotary ? interleavedHeads(values, rows, columns, 32) : values;
        }

        private float[] values(JsonNode entry, int count) {
            int start = entry.required("data_offsets").get(0).asInt();
            String dtype = entry.required("dtype").asText();
            float[] out = new float[count];
            for (int i = 0; i < count; i++) {
                out[i] = switch (dtype) {
                    case "F32" -> data.getFloat(start + 4 * i);
                    case "F16" -> Float.float16ToFloat(data.getShort(start + 2 * i));
                    case "BF16" -> Float.intBitsToFloat(data.getShort(start + 2 * i) << 16);
                    default -> throw new IllegalStateException(dtype);
                };
            }
            return out;
        }

        private static float[] transposed(float[] values, int rows, int columns) {
            float[] out = new float[values.length];
            for (int row = 0; row < rows; row++) {
                for (int k = 0; k < columns; k++) {
                    out[row * columns + k] = values[k * rows + row];
                }
            }
            return out;
        }

        /** GGUF files of LLaMA have rotary pairs side by side, Hugging Face has them in two halves of a head. */
        private static float[] interleavedHeads(float[] values, int rows, int columns, int headDim) {
            float[] out = new float[values.length];
            for (int row = 0; row < rows; row++) {
                int head = row / headDim;
                int i = row % headDim;
                int from = head * headDim + i / 2 + i % 2 * (headDim / 2);
                System.arraycopy(values, from * columns, out, row * columns, columns);
            }
            return out;
        }
    }
}
