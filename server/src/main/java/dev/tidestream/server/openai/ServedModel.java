package dev.tidestream.server.openai;

import java.util.OptionalLong;

/**
 * The model as {@code GET /v1/models} shows it.
 *
 * @param id what requests call it
 * @param createdS when it was loaded, in seconds since 1970
 * @param contextLength most tokens of prompt and completion together
 * @param vocabularySize token ids are 0 to this number minus 1
 * @param parameters weights of the model, if known
 * @param weightsVersion the version that a new stream starts with
 * @param headMode how its logits are computed
 */
public record ServedModel(
        String id,
        long createdS,
        int contextLength,
        int vocabularySize,
        OptionalLong parameters,
        long weightsVersion,
        String headMode) {}
