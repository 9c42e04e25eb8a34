package dev.tidestream.server.receipts;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.FinishReason;
import dev.tidestream.server.engine.Evidence;

/**
 * What a receipt says: all that the stream is a function of, hashes of what it took and gave, and how it ended. Immutable.
 *
 * @param issuedS when it was signed, in seconds since 1970
 * @param server the program and its version
 * @param keyName of the API key that the stream was asked for with, which is not the key; null if none was needed
 * @param model what was served
 * @param precision how it was computed, by the names of options
 * @param evidence what the engine took down; the seed is in its sampling
 * @param updatesSha256 for each span of the evidence: of the updates that its version of the weights has on top of the model file
 * @param finish how the stream ended
 */
public record Receipt(
        long issuedS,
        String server,
        @Nullable String keyName,
        Model model,
        Map<String, String> precision,
        Evidence evidence,
        List<String> updatesSha256,
        FinishReason finish) {

    /**
     * A model by its content.
     *
     * @param name as clients call it
     * @param sha256 of the file
     * @param promptsSha256 of what makes prompts and texts: tokenizer and chat templates
     */
    public record Model(String name, String sha256, String promptsSha256) {}

    public Receipt {
        precision = Map.copyOf(new TreeMap<>(precision));
        updatesSha256 = List.copyOf(updatesSha256);
        if (updatesSha256.size() != evidence.spans().size()) {
            throw new IllegalArgumentException("each span has updates: spans=%d, updates=%d"
                    .formatted(evidence.spans().size(), updatesSha256.size()));
        }
    }
}
