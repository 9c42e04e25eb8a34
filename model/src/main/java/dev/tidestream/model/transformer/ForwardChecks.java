package dev.tidestream.model.transformer;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

import dev.tidestream.model.transformer.LanguageModel.Slice;

/** What must hold before a pass begins; afterwards nothing can go wrong half-way. */
final class ForwardChecks {
    private ForwardChecks() {}

    /** Counts the rows of all slices, or says what does not fit. */
    static int rows(LanguageModel model, List<Slice> slices, float[] logits) {
        int rows = 0;
        long wanted = 0;
        Set<KvCache> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Slice slice : slices) {
            KvCache cache = slice.cache();
            require(seen.add(cache), () -> "a cache stands in two slices");
            require(cache.shape().equals(model.kvCacheShape()),
                    () -> "cache is of another shape: %s, expected %s".formatted(cache.shape(), model.kvCacheShape()));
            require(cache.length() + slice.count() <= cache.capacity(),
                    () -> "KV cache is full: length=%d, count=%d, capacity=%d"
                            .formatted(cache.length(), slice.count(), cache.capacity()));
            require(cache.length() + slice.count() <= model.contextLength(),
                    () -> "context is full: length=%d, count=%d, context=%d"
                            .formatted(cache.length(), slice.count(), model.contextLength()));
            for (int i = slice.from(); i < slice.from() + slice.count(); i++) {
                int token = slice.tokens()[i];
                require(token >= 0 && token < model.vocabularySize(),
                    () -> "no such token: token=%d, vocabulary=%d".formatted(token, model.vocabularySize()));
            }
            rows += slice.count();
            wanted += switch (slice.logits()) {
                case NONE -> 0;
                case LAST -> 1;
                case ALL -> slice.count();
            };
        }
        int allRows = rows;
        long allWanted = wanted;
        require(rows >= 1 && rows <= model.maxRows(),
                () -> "rows out of range: rows=%d, maxRows=%d".formatted(allRows, model.maxRows()));
        require(wanted * model.vocabularySize() <= logits.length,
                    () -> "logits do not fit: rows=%d, vocabulary=%d, length=%d"
                            .formatted(allWanted, model.vocabularySize(), logits.length));
        return rows;
    }

    private static void require(boolean condition, Supplier<String> message) {
        if (!condition) {
            throw new IllegalArgumentException(message.get());
        }
    }
}
