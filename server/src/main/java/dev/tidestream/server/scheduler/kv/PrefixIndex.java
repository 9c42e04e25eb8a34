package dev.tidestream.server.scheduler.kv;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.LongPredicate;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.transformer.KvCacheShape;

/**
 * Full blocks by content: weights version, adapter, their 32 tokens, and all tokens before. A chain hash finds them, the tokens themselves
 * decide, so a collision costs a comparison and no more. Each content is there once, so equal parents are identical.
 *
 * <p>Blocks that no sequence holds are kept in the order in which they will be needed least: the longest unused first, and of
 * those that were let go of together the last of a sequence first. A block is held whenever one behind it is, so the first of
 * this order never has another behind it.
 */
final class PrefixIndex {
    private static final int BLOCK = KvCacheShape.BLOCK_POSITIONS;
    private static final long ADAPTER_STRIDE = 0xD6E8_FEB8_6659_FD93L;

    /** Of the tokens of a block, and of what is before it. */
    @FunctionalInterface
    interface Hash {
        long of(long before, int[] tokens, int from);
    }

    private final Hash hash;
    private final Map<Long, SharedBlocks> byHash = new HashMap<>();
    private final Set<SharedBlocks> unused = new LinkedHashSet<>();
    private int size;

    /** An index whose hash begins with a number that no client knows, so that none can make collisions. */
    PrefixIndex() {
        this(seeded(new SplittableRandom().nextLong()));
    }

    PrefixIndex(Hash hash) {
        this.hash = hash;
    }

    private static Hash seeded(long seed) {
        return (before, tokens, from) -> {
            long h = before ^ seed;
            for (int i = from; i < from + BLOCK; i++) {
                h = (h ^ tokens[i]) * 0x9E37_79B9_7F4A_7C15L;
                h ^= h >>> 32;
            }
            return h;
        };
    }

    /** Blocks in it: those of 32 positions count once. */
    int size() {
        return size;
    }

    /** Those of them that no sequence holds. */
    int unused() {
        return unused.size();
    }

    /**
     * The blocks of 32 tokens behind {@code parent}; null if there are none.
     *
     * @param adapter number of the adapter that they were computed with; 0: none
     */
    @Nullable SharedBlocks find(@Nullable SharedBlocks parent, long weightsVersion, long adapter, int[] tokens, int from) {
        SharedBlocks found = byHash.get(hash(parent, weightsVersion, adapter, tokens, from));
        while (found != null && !found.holds(parent, weightsVersion, adapter, tokens, from)) {
            found = found.sameHash;
        }
        return found;
    }

    private long hash(@Nullable SharedBlocks parent, long weightsVersion, long adapter, int[] tokens, int from) {
        return hash.of(parent == null ? weightsVersion + ADAPTER_STRIDE * adapter : parent.hash, tokens, from);
    }

    /** Puts blocks in that {@link #find} does not find; one sequence holds them. */
    SharedBlocks add(
            @Nullable SharedBlocks parent, long weightsVersion, long adapter, int[] tokens, int from, MemorySegment[] blocks) {
        SharedBlocks added = new SharedBlocks(parent, weightsVersion, adapter, hash(parent, weightsVersion, adapter, tokens, from),
                Arrays.copyOfRange(tokens, from, from + BLOCK), blocks);
        added.sameHash = byHash.put(added.hash, added);
        added.holders = 1;
        size++;
        return added;
    }

    /** One more sequence holds them. */
    void hold(SharedBlocks shared) {
        if (shared.holders++ == 0) {
            unused.remove(shared);
        }
    }

    /** One sequence less holds them; whether nobody has a use for them, so that they are the caller's. */
    boolean letGo(SharedBlocks shared) {
        if (--shared.holders > 0) {
            return false;
        }
        if (shared.indexed) {
            unused.add(shared);
        }
        return !shared.indexed;
    }

    /** Takes out those that are needed least, which are the caller's then; null if sequences hold all there are. */
    @Nullable SharedBlocks removeLeastNeeded() {
        Iterator<SharedBlocks> first = unused.iterator();
        if (!first.hasNext()) {
            return null;
        }
        SharedBlocks least = first.next();
        first.remove();
        remove(least);
        return least;
    }

    private void remove(SharedBlocks leaving) {
        leaving.indexed = false;
        size--;
        SharedBlocks first = byHash.get(leaving.hash);
        if (first == leaving) {
            if (leaving.sameHash == null) {
                byHash.remove(leaving.hash);
            } else {
                byHash.put(leaving.hash, leaving.sameHash);
            }
            return;
        }
        while (first != null && first.sameHash != leaving) {
            first = first.sameHash;
        }
        if (first == null) {
            throw new IllegalStateException("shared KV blocks are not in the index: weights_version=" + leaving.weightsVersion);
        }
        first.sameHash = leaving.sameHash;
    }

    /** Whether all are of one version of the weights. */
    boolean allOf(long weightsVersion) {
        return byHash.values().stream().allMatch(first -> {
            for (SharedBlocks next = first; next != null; next = next.sameHash) {
                if (next.weightsVersion != weightsVersion) {
                    return false;
                }
            }
            return true;
        });
    }

    /**
     * Takes out those of other versions of the weights. What sequences hold stays until they let go of it.
     *
     * @param unheld is given those that no sequence holds
     */
    void retain(LongPredicate versions, Consumer<SharedBlocks> unheld) {
        for (SharedBlocks first : byHash.values().toArray(SharedBlocks[]::new)) {
            for (SharedBlocks next = first; next != null; ) {
                SharedBlocks one = next;
                next = next.sameHash;
                if (!versions.test(one.weightsVersion)) {
                    remove(one);
                    if (unused.remove(one)) {
                        unheld.accept(one);
                    }
                }
            }
        }
    }

    /**
     * The blocks that tokens begin with.
     *
     * @param limit most positions that count
     * @param holders that each of them has at least
     */
    List<SharedBlocks> prefix(long weightsVersion, long adapter, int[] tokens, int limit, int holders) {
        List<SharedBlocks> prefix = new ArrayList<>();
        SharedBlocks last = null;
        for (int at = 0; at + KvCacheShape.BLOCK_POSITIONS <= limit; at += KvCacheShape.BLOCK_POSITIONS) {
            last = find(last, weightsVersion, adapter, tokens, at);
            if (last == null || last.holders < holders) {
                break;
            }
            prefix.add(last);
        }
        return prefix;
    }
}
