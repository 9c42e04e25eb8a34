package dev.tidestream.server.transport;

import java.util.OptionalLong;

/**
 * One entry of {@code GET /v1/models}.
 *
 * @param contextLength most tokens of prompt and completion together
 * @param vocabularySize token ids are 0 to this number minus 1
 * @param parameters weights of the model, if known
 * @param weightsVersion the version that a new stream starts with
 */
public record ServedModel(
        String id, int contextLength, int vocabularySize, OptionalLong parameters, long weightsVersion) {}
