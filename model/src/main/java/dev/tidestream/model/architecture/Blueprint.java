package dev.tidestream.model.architecture;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What a decoder-only transformer is made of: sizes, constants and kinds of parts, no weights and no state. Everything that differs
 * from one architecture to another is here, as data.
 *
 * @param architecture name of the family, e.g. {@code llama}
 * @param name of the model
 * @param vocabularySize V
 * @param hiddenSize H
 * @param contextLength most positions of a sequence
 * @param learnedPositions rows of a table of learned positions, at least as many as {@code contextLength}; 0 if there is none
 * @param embeddingScale embeddings are multiplied by it
 * @param layers (L); heads and sizes are the same in all of them
 * @param outputNorm before the output head
 * @param tied whether the output head is the embedding
 * @param logitSoftcap logits are kept within it, by tanh; 0 for not at all
 */
public record Blueprint(
        String architecture,
        String name,
        int vocabularySize,
        int hiddenSize,
        int contextLength,
        int learnedPositions,
        float embeddingScale,
        List<LayerPlan> layers,
        NormSpec outputNorm,
        boolean tied,
        float logitSoftcap) {

    public Blueprint {
        layers = List.copyOf(layers);
        positive("layers", layers.size());
        positive("hidden size", hiddenSize);
        positive("context length", contextLength);
        positive("vocabulary", vocabularySize);
        if (learnedPositions != 0 && learnedPositions < contextLength) {
            throw new ModelException("the context is longer than the table of positions: context=%d, positions=%d"
                    .formatted(contextLength, learnedPositions));
        }
        if (!(embeddingScale > 0) || !Float.isFinite(embeddingScale) || !(logitSoftcap >= 0) || !Float.isFinite(logitSoftcap)) {
            throw new ModelException("constants out of range: embeddingScale=%s, logitSoftcap=%s".formatted(embeddingScale, logitSoftcap));
        }
        LayerPlan first = layers.getFirst();
        for (LayerPlan layer : layers) {
            if (!sizes(layer).equals(sizes(first))) {
                throw new ModelException("layers of different sizes (heads, kv heads, head size, feed-forward) are not supported: %s, %s"
                        .formatted(sizes(first), sizes(layer)));
            }
        }
    }

    private static List<Integer> sizes(LayerPlan layer) {
        AttentionPlan attention = layer.attention();
        return List.of(attention.heads(), attention.kvHeads(), attention.headDim(), layer.feedForward().size());
    }

    static void positive(String what, int value) {
        if (value < 1) {
            throw new ModelException("%s must be at least 1: %d".formatted(what, value));
        }
    }

    /** Elements of all query heads of a layer. */
    public int queryDim() {
        return layers.getFirst().attention().queryDim();
    }

    /** Elements of all key (or value) heads of a layer. */
    public int kvDim() {
        return layers.getFirst().attention().kvDim();
    }

    /** F. */
    public int feedForwardSize() {
        return layers.getFirst().feedForward().size();
    }

    /** The rotations of all layers, each once; without that of nothing. */
    public List<Rotation> rotations() {
        return layers.stream().map(layer -> layer.attention().rotation())
                .filter(rotation -> rotation.pairing() != Rotation.Pairing.NONE).distinct().toList();
    }

    /** The same with the output head tied to the embedding. */
    public Blueprint asTied() {
        return new Blueprint(architecture, name, vocabularySize, hiddenSize, contextLength, learnedPositions, embeddingScale, layers,
                outputNorm, true, logitSoftcap);
    }

    /** The same, with an output head of its own. */
    public Blueprint asUntied() {
        return new Blueprint(architecture, name, vocabularySize, hiddenSize, contextLength, learnedPositions, embeddingScale, layers,
                outputNorm, false, logitSoftcap);
    }

    /**
     * A smaller model of the same kind.
     *
     * @param ofLayers which layers it has
     */
    public Blueprint shrunk(int newVocabulary, int newHidden, int newKvHeads, int newFeedForward, List<Integer> ofLayers) {
        List<LayerPlan> kept = ofLayers.stream().map(layers::get)
                .map(layer -> new LayerPlan(layer.before(), layer.after(),
                        layer.attention().shrunk(newKvHeads), layer.feedForward().shrunk(newFeedForward)))
                .toList();
        return new Blueprint(architecture, name, newVocabulary, newHidden, contextLength, learnedPositions, embeddingScale, kept,
                outputNorm, tied, logitSoftcap);
    }

    /** What it is in plain words: what each line is about, and the line. */
    public Map<String, String> words() {
        Map<String, String> words = new LinkedHashMap<>();
        words.put("architecture", String.format(Locale.ROOT, "%s: %d layer%s, hidden size %d, vocabulary %d, context %d%s%s",
                architecture, layers.size(), layers.size() == 1 ? "" : "s", hiddenSize, vocabularySize, contextLength,
                learnedPositions == 0 ? "" : ", learned positions", embeddingScale == 1 ? "" : ", embeddings times " + embeddingScale));
        words.put("attention", perLayer(layer -> layer.attention().words()));
        words.put("feed-forward", perLayer(layer -> layer.feedForward().words()));
        words.put("norms", perLayer(layer -> layer.before().words() + layer.after().map(norm -> ", behind each part: " + norm.words()).orElse("")));
        words.put("output head", (tied ? "tied to the embedding" : "a matrix of its own")
                + (logitSoftcap == 0 ? "" : ", logits capped at " + logitSoftcap));
        return words;
    }

    /** What is said of all layers, or of each group of layers that it is said of. */
    private String perLayer(Function<LayerPlan, String> words) {
        Map<String, List<Integer>> said = new LinkedHashMap<>();
        for (int i = 0; i < layers.size(); i++) {
            said.computeIfAbsent(words.apply(layers.get(i)), line -> new ArrayList<>()).add(i);
        }
        return said.size() == 1 ? said.keySet().iterator().next() : said.entrySet().stream()
                .map(entry -> "%s (layers %s)".formatted(
                        entry.getKey(), entry.getValue().stream().map(String::valueOf).collect(Collectors.joining(", "))))
                .collect(Collectors.joining("; "));
    }
}
