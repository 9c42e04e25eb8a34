package dev.tidestream.server.huggingface;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.gguf.GgufValue;
import dev.tidestream.server.huggingface.Shards.Stored;
import dev.tidestream.server.huggingface.names.TensorNaming;
import dev.tidestream.server.safetensors.SafetensorsFile;

/** Finds for each stored tensor its name in GGUF, and how to make that of it. Every tensor has a use, or the model is refused. */
final class Translation {
    private static final String SCALE = "weight_scale";
    private static final String EMBEDDING = "token_embd.weight";
    private static final String OUTPUT = "output.weight";

    private final Shards shards;
    private final ModelConfig config;
    private final Optional<BitNetWeights> bitNet;
    private final int headDim;
    private final SequencedMap<String, Recipe> recipes = new LinkedHashMap<>();
    private final Map<String, Stored> storedOf = new LinkedHashMap<>(); // by name in GGUF

    private Translation(Shards shards, ModelConfig config) {
        this.shards = shards;
        this.config = config;
        this.bitNet = config.bitNet();
        this.headDim = config.keys().values().entrySet().stream().filter(entry -> entry.getKey().endsWith(".attention.key_length"))
                .map(entry -> (int) ((GgufValue.IntegerValue) entry.getValue()).value()).findFirst().orElse(0);
    }

    /**
     * How all tensors of a model are made, by their names in GGUF.
     *
     * @throws ModelException if a tensor has no use, or a shape or type that does not go with what it is for
     */
    static SequencedMap<String, Recipe> of(Shards shards, ModelConfig config) {
        Translation translation = new Translation(shards, config);
        shards.tensors().values().forEach(translation::add);
        translation.requireOneShape();
        config.keys().vectors().forEach((name, elements) -> translation.recipes.put(name, new Recipe.Numbers(elements)));
        if (!translation.recipes.containsKey(EMBEDDING) && translation.recipes.containsKey(OUTPUT)) { // one is both
            SequencedMap<String, Recipe> renamed = new LinkedHashMap<>();
            translation.recipes.forEach((name, recipe) -> renamed.put(name.equals(OUTPUT) ? EMBEDDING : name, recipe));
            return renamed;
        }
        return translation.recipes;
    }

    private void add(Stored stored) {
        if (TensorNaming.isBuffer(stored.name())) {
            return;
        }
        TensorNaming.Name name = config.family().naming().find(stored.name())
                .orElseThrow(() -> config.family().unknown(stored.name(), config.nested()));
        if (name.suffix().equals(SCALE)) {
            if (bitNet.isEmpty() || !bitNet.get().packed() || elements(stored) != 1) {
                throw config.family().unknown(stored.name(), config.nested());
            }
            Recipe.floats(stored);
            return; // it is with its weights
        }
        Stored other = storedOf.put(name.ggufName(), stored);
        if (other != null) {
            throw new ModelException("tensors %s and %s are the same: %s".formatted(
                    GgufException.quote(other.name()), GgufException.quote(stored.name()), name.ggufName()));
        }
        recipes.put(name.ggufName(), recipe(name, stored));
    }

    private static long elements(Stored stored) {
        return stored.shape().stream().reduce(1L, (a, b) -> a * b);
    }

    private Recipe recipe(TensorNaming.Name name, Stored stored) {
        List<Long> shape = stored.shape();
        if (shape.isEmpty() || shape.size() > 2 || shape.stream().anyMatch(size -> size < 1)) {
            throw refused(stored, "is neither a vector nor a matrix");
        }
        TensorNaming naming = config.family().naming();
        if (shape.size() == 1) {
            return new Recipe.Vector(stored, naming.oneAdded() && name.isNorm() ? 1 : 0);
        }
        int interleaved = naming.interleaved() && name.isQueryOrKey() ? headDim : 0;
        if (interleaved > 0 && (interleaved % 2 != 0 || rows(stored) % interleaved != 0)) {
            throw refused(stored, "is not made of heads of %d rows".formatted(interleaved));
        }
        boolean linear = name.ggufName().startsWith("blk.");
        if (linear && bitNet.isPresent()) {
            if (shape.getLast() % TernaryWriter.GROUP != 0) {
                throw refused(stored, "has a number of columns that ternary weights cannot have: they go by %d".formatted(TernaryWriter.GROUP));
            }
            return bitNet.get().packed() ? packed(stored, interleaved) : new Recipe.Online(stored, interleaved);
        }
        if (naming.transposed().contains(name.stem())) {
            return new Recipe.Transposed(stored);
        }
        return interleaved > 0 ? new Recipe.Interleaved(stored, interleaved) : new Recipe.Copy(stored);
    }

    private boolean isPacked(Stored stored) {
        return bitNet.map(BitNetWeights::packed).orElse(false) && stored.tensor().type() == SafetensorsFile.Type.U8;
    }

    private long rows(Stored stored) {
        return isPacked(stored) ? Math.multiplyExact(stored.shape().getFirst(), 4) : stored.shape().getFirst();
    }

    private Recipe packed(Stored stored, int interleaved) {
        if (!isPacked(stored)) {
            throw refused(stored, "is not packed: dtype " + stored.tensor().type());
        }
        String scale = stored.name() + "_scale";
        return new Recipe.Packed(stored, shards.find(scale).orElseThrow(() -> new ModelException(
                "tensor %s is missing".formatted(GgufException.quote(scale)))),
                bitNet.map(BitNetWeights::inverseScale).orElse(false), interleaved);
    }

    private void requireOneShape() {
        Stored embedding = storedOf.get(EMBEDDING);
        Stored output = storedOf.get(OUTPUT);
        if (embedding != null && output != null && !embedding.shape().equals(output.shape())) {
            throw new ModelException("tensors %s and %s have different shapes: %s, %s".formatted(GgufException.quote(embedding.name()),
                    GgufException.quote(output.name()), embedding.shape(), output.shape()));
        }
    }

    private static ModelException refused(Stored stored, String why) {
        return new ModelException("tensor %s of shape %s %s".formatted(GgufException.quote(stored.name()), stored.shape(), why));
    }
}
