package dev.tidestream.model.transformer;

import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;

import dev.tidestream.model.architecture.AttentionPlan;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.tensor.KvHead;
import dev.tidestream.model.tensor.KvType;

/**
 * The blueprint of a KV cache: how large a block is, and how many a sequence needs.
 *
 * <p>A layer whose queries see a window only needs no more positions than the window and one pass of new ones; it uses its blocks
 * again, in turn, as a ring. Layers that need equally many blocks are put into stacks of {@link #layersPerBlock}; a block
 * holds 32 positions of all layers of a stack. All blocks of a cache have one size, therefore any free one will do.
 *
 * <pre>
 * all layers see everything:         one stack of all layers
 * 22 layers with a window, 4 without: 11 stacks of 2 layers whose blocks are used again, and 2 stacks of 2 layers
 * </pre>
 *
 * @param kvHeads key/value heads per layer
 * @param headDim elements per head
 * @param type how they are stored
 * @param ringBlocks for each layer, how many blocks it has at most; {@link #ALL} if it keeps every position
 */
public record KvCacheShape(int kvHeads, int headDim, KvType type, List<Integer> ringBlocks) {
    /** Positions per block; a block holds the keys and values of a stack of layers for so many positions. */
    public static final int BLOCK_POSITIONS = KvHead.BLOCK_POSITIONS;
    /** In {@link #ringBlocks}: as many as there are positions. */
    public static final int ALL = Integer.MAX_VALUE;

    private static final int MOST_BLOCKS = Integer.MAX_VALUE / BLOCK_POSITIONS; // positions are an int

    public KvCacheShape {
        if (ringBlocks.isEmpty() || kvHeads < 1 || headDim < 1 || Collections.min(ringBlocks) < 1) {
            throw new IllegalArgumentException("KV cache shape must be positive: layers=%d, kvHeads=%d, headDim=%d, ringBlocks=%s"
                    .formatted(ringBlocks.size(), kvHeads, headDim, ringBlocks));
        }
        ringBlocks = List.copyOf(ringBlocks);
    }

    /** Layers that all see every position. */
    public KvCacheShape(int layers, int kvHeads, int headDim, KvType type) {
        this(kvHeads, headDim, type, Collections.nCopies(layers, ALL));
    }

    /**
     * Of the caches of a model.
     *
     * @param maxRows most positions that one pass adds; they are stored before the first of them is computed
     */
    public static KvCacheShape of(Blueprint blueprint, KvType type, int maxRows) {
        AttentionPlan any = blueprint.layers().getFirst().attention(); // heads are the same in all
        List<Integer> rings = blueprint.layers().stream().map(layer -> ring(layer.attention().window(), maxRows)).toList();
        return new KvCacheShape(any.kvHeads(), any.headDim(), type, rings);
    }

    /** The first new position sees {@code window - 1} old ones; a position takes the place of what is a whole ring older. */
    private static int ring(int window, int maxRows) {
        return window == 0 ? ALL : Math.toIntExact(Math.ceilDiv((long) window - 1 + maxRows, BLOCK_POSITIONS));
    }

    /** Transformer layers. */
    public int layers() {
        return ringBlocks.size();
    }

    /** Layers that share a block: as many as divide the number of layers of each kind. */
    public int layersPerBlock() {
        int common = 0;
        for (int layers : layersByRing().values()) {
            common = common == 0 ? layers : gcd(common, layers);
        }
        return common;
    }

    private static int gcd(int a, int b) {
        return b == 0 ? a : gcd(b, a % b);
    }

    private SortedMap<Integer, Integer> layersByRing() {
        SortedMap<Integer, Integer> layers = new TreeMap<>();
        ringBlocks.forEach(ring -> layers.merge(ring, 1, Integer::sum));
        return layers;
    }

    /** Bytes of one block: keys of all its layers and heads, then their values. */
    public long blockBytes() {
        return (KvHead.keyBytes(headDim, type) + KvHead.valueBytes(headDim, type)) * layersPerBlock() * kvHeads;
    }

    /** Blocks that hold {@code positions}. */
    public int blocksFor(int positions) {
        return Math.toIntExact(blocks(Math.ceilDiv(positions, BLOCK_POSITIONS)));
    }

    private long blocks(int blocksOfPositions) {
        long blocks = 0;
        int together = layersPerBlock();
        for (var layers : layersByRing().entrySet()) {
            blocks += (long) layers.getValue() / together * Math.min(blocksOfPositions, layers.getKey());
        }
        return blocks;
    }

    /** Positions that one sequence can have with so many blocks. */
    public long positionsWithin(int blocks) {
        int fits = 0;
        for (int more = MOST_BLOCKS; more > 0; more /= 2) { // binary search: a longer sequence never needs fewer
            while (fits <= MOST_BLOCKS - more && blocks(fits + more) <= blocks) {
                fits += more;
            }
        }
        return (long) fits * BLOCK_POSITIONS;
    }

    /** Whether some layer overwrites its blocks in a cache of so many positions. */
    public boolean overwritesBlocks(int positions) {
        return Collections.min(ringBlocks) < Math.ceilDiv(positions, BLOCK_POSITIONS);
    }

    /** How many blocks each stack has at most; those with fewest first. */
    int[] rings() {
        int together = layersPerBlock();
        return layersByRing().entrySet().stream()
                .flatMapToInt(layers -> IntStream.generate(layers::getKey).limit(layers.getValue() / together))
                .toArray();
    }

    /**
     * Where keys and values are in these blocks.
     *
     * @param blocks {@code (stacks, positions / 32)}, in the order of {@link #rings}; may be filled in later
     * @return {@code (layers, kvHeads)}
     */
    KvHead[] heads(MemorySegment[][] blocks) {
        int together = layersPerBlock();
        KvHead[] heads = new KvHead[layers() * kvHeads];
        int stack = 0;
        for (int ring : layersByRing().keySet()) {
            int inStack = 0;
            for (int layer = 0; layer < layers(); layer++) {
                if (ringBlocks.get(layer) != ring) {
                    continue;
                }
                for (int head = 0; head < kvHeads; head++) {
                    heads[layer * kvHeads + head] = head(blocks[stack], together, inStack, head);
                }
                if (++inStack == together) {
                    inStack = 0;
                    stack++;
                }
            }
        }
        return heads;
    }

    private KvHead head(MemorySegment[] blocks, int layersInBlock, int layer, int head) {
        long index = (long) layer * kvHeads + head;
        long keyBytes = KvHead.keyBytes(headDim, type);
        long keyOffset = index * keyBytes;
        long valueOffset = keyBytes * layersInBlock * kvHeads + index * KvHead.valueBytes(headDim, type);
        return new KvHead(blocks, keyOffset, valueOffset, headDim, type);
    }
}
