package dev.tidestream.server.engine;

import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;

import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.protocol.ChatMessage;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.server.scheduler.SequenceRequest;

/**
 * Prompts to tokens. What can never fit is refused by {@link #requireFits}, which is cheap, before anybody spends time or memory on its
 * tokens. Safe for use by any thread.
 */
final class PromptEncoder {
    private static final int FIXED_BYTES = 1024; // objects of a stream, without what grows with the request
    private static final int BYTES_PER_BIAS = 100; // an entry of a map, and an array
    private static final int BYTES_PER_STOP_CHAR = 8; // the string, its automaton, text that is withheld
    private static final int BYTES_PER_COUNTED_TOKEN = 100; // an entry of a map, and of two arrays

    private final Tokenizer tokenizer;
    private final ChatPrompts chats;
    private final int vocabularySize;
    private final int rows; // of the embedding: those behind the vocabulary are padding
    private final int contextLength;
    private final int maxPromptBytes;
    private final long kvPositions;

    /**
     * @param vocabularySize ids below it may be named
     * @param rows of the embedding, at least {@code vocabularySize}
     * @param kvPositions most positions that the KV cache has for one stream
     */
    PromptEncoder(Tokenizer tokenizer, ChatPrompts chats, int vocabularySize, int rows, int contextLength, int maxPromptBytes,
            long kvPositions) {
        this.tokenizer = tokenizer;
        this.chats = chats;
        this.vocabularySize = vocabularySize;
        this.rows = rows;
        this.contextLength = contextLength;
        this.maxPromptBytes = maxPromptBytes;
        this.kvPositions = kvPositions;
    }

    /**
     * Refuses a prompt that is too long whatever its tokens are.
     *
     * @return bytes that the request holds until it is tokenized
     * @throws EngineException with the numbers
     */
    long requireFits(GenerateRequest request) {
        String text = request.prompt();
        int[] tokens = request.tokens();
        if (!request.messages().isEmpty()) {
            return fixedBytes(request) + requireFits(request.messages());
        }
        if (text == null) {
            int count = tokens == null ? 0 : tokens.length;
            requireFits(count, "tokens=" + count);
            return fixedBytes(request) + (long) count * Integer.BYTES;
        }
        long bytes = utf8Bytes(text);
        requireBytes(bytes);
        long least = tokenizer.leastTokens(text);
        requireFits(least, "bytes=%d, tokens>=%d".formatted(bytes, least));
        return fixedBytes(request) + bytes;
    }

    private long requireFits(List<ChatMessage> messages) {
        long bytes = 0;
        for (ChatMessage message : messages) {
            bytes += utf8Bytes(message.role()) + utf8Bytes(message.content());
        }
        requireBytes(bytes);
        return bytes;
    }

    private void requireBytes(long bytes) {
        if (bytes > maxPromptBytes) {
            throw new EngineException(
                    ErrorCode.PROMPT_TOO_LONG, "prompt too long: bytes=%d, limit=%d".formatted(bytes, maxPromptBytes));
        }
    }

    private void requireFits(long tokens, String size) {
        if (tokens >= contextLength) {
            throw new EngineException(ErrorCode.PROMPT_TOO_LONG, "prompt too long: %s, context=%d".formatted(size, contextLength));
        }
        if (tokens >= kvPositions) {
            throw new EngineException(
                    ErrorCode.PROMPT_TOO_LONG, "prompt too long for the KV cache: %s, positions=%d".formatted(size, kvPositions));
        }
    }

    /**
     * The prompt of a request.
     *
     * @throws EngineException if it is too long for the context, or names tokens that there are not
     */
    ChatPrompts.Prompt encode(GenerateRequest request) {
        String text = request.prompt();
        LocalDateTime at = request.options().renderedAt();
        ChatPrompts.Prompt prompt = !request.messages().isEmpty() ? chats.encode(request.messages(), at)
                : new ChatPrompts.Prompt(text == null ? requireKnown(request.tokens() == null ? new int[0] : request.tokens())
                : tokenizer.encodePrompt(text, request.parseSpecial()), at);
        requireFits(prompt.tokens().length, "tokens=" + prompt.tokens().length);
        return prompt;
    }

    private int[] requireKnown(int[] tokens) {
        for (int i = 0; i < tokens.length; i++) {
            if (tokens[i] < 0 || tokens[i] >= vocabularySize) {
                boolean padding = tokens[i] >= 0 && tokens[i] < rows;
                throw new EngineException(ErrorCode.INVALID_VALUE,
                        "tokens[%d] is outside the vocabulary: token=%d, vocabulary=%d".formatted(i, tokens[i], vocabularySize)
                                + (padding ? "; the model's rows behind it are padding: rows=" + rows : ""));
            }
        }
        return tokens.clone();
    }

    /** An upper estimate of what a stream holds, KV blocks apart. */
    SequenceRequest.Memory memory(GenerateRequest request) {
        SamplingOptions sampling = request.sampling();
        boolean counts = sampling.repetitionPenalty() != 1f || sampling.presencePenalty() != 0f || sampling.frequencyPenalty() != 0f;
        return new SequenceRequest.Memory(fixedBytes(request), counts ? Integer.BYTES + BYTES_PER_COUNTED_TOKEN : Integer.BYTES);
    }

    private static long fixedBytes(GenerateRequest request) {
        Map<Integer, Float> biases = request.sampling().logitBias();
        long stopChars = request.stop().stream().mapToLong(String::length).sum();
        return FIXED_BYTES + (long) biases.size() * BYTES_PER_BIAS + stopChars * BYTES_PER_STOP_CHAR;
    }

    /** Bytes of a text in UTF-8, an unpaired surrogate taken for U+FFFD, without making them. */
    private static long utf8Bytes(String text) {
        long bytes = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < 0x80) {
                bytes++;
            } else if (c < 0x800) {
                bytes += 2;
            } else if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                bytes += 4;
                i++;
            } else {
                bytes += 3;
            }
        }
        return bytes;
    }
}
