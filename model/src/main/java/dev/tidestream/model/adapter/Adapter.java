package dev.tidestream.model.adapter;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.memory.PageArena;

/**
 * The weights of an adapter, for any version of a model of one blueprint. It holds no copy of a base weight: what it changes is added
 * to the products of the base while it is active ({@link AdapterRows}), so the base, tied or not, stays as it is. Immutable; any thread.
 *
 * <p>Off-heap; closed by whoever made sure that nobody computes with it any more. Compared by identity.
 */
public final class Adapter implements AutoCloseable {
    private final List<Map<AdapterSite, LowRankSite>> layers;
    private final Optional<LookupChange> lookup;
    private final Optional<HeadChange> head;
    private final PageArena memory;
    private final long bytes;
    private final AtomicBoolean open = new AtomicBoolean(true);

    /** @param memory of all its matrices; closed with it */
    Adapter(
            List<EnumMap<AdapterSite, LowRankSite>> layers, Optional<LookupChange> lookup, Optional<HeadChange> head,
            PageArena memory, long bytes) {
        this.layers = List.copyOf(layers);
        this.lookup = lookup;
        this.head = head;
        this.memory = memory;
        this.bytes = bytes;
    }

    /** Bytes of its matrices, padding included. */
    public long bytes() {
        return bytes;
    }

    /** Whether the embeddings of tokens are others with it. */
    public boolean changesLookup() {
        return lookup.isPresent();
    }

    /** Whether logits are made of other weights with it. */
    public boolean changesHead() {
        return head.isPresent();
    }

    /** Whether hidden states, and so keys and values, are others with it; without, it changes logits alone. */
    public boolean changesStates() {
        return changesLookup() || layers.stream().anyMatch(sites -> !sites.isEmpty());
    }

    /**
     * All that it changes, matrix by matrix: embedding and output head apart, whatever the base ties.
     *
     * @param blueprint that it was built for
     */
    public List<MatrixChange> matrixChanges(Blueprint blueprint) {
        List<MatrixChange> changes = new ArrayList<>();
        for (int layer = 0; layer < layers.size(); layer++) {
            changes.addAll(MatrixChanges.ofLayer(layer, blueprint.layers().get(layer), layers.get(layer)));
        }
        MatrixChanges.of(lookup).forEach(changes::add);
        MatrixChanges.ofHead(head).forEach(changes::add);
        return changes;
    }

    /** Whether lookups and logits are changed in the same way: one matrix that is both stays one. */
    public boolean changesBothEndsAlike() {
        if (lookup.isEmpty() || head.isEmpty()) {
            return lookup.isEmpty() && head.isEmpty();
        }
        HeadChange change = head.get();
        return switch (lookup.get()) {
            case LookupChange.Added(PanelMatrix table, LowRankSite.Part _) ->
                change instanceof HeadChange.Added(LowRankSite site) && site.parts().getFirst().up() == table;
            case LookupChange.Replaced(PanelMatrix matrix) -> change instanceof HeadChange.Replaced(PanelMatrix other) && other == matrix;
            case LookupChange.Rows(TokenRows rows) -> change instanceof HeadChange.Rows(TokenRows other) && other.matrix() == rows.matrix()
                    && Arrays.equals(other.tokens(), rows.tokens());
        };
    }

    @Nullable LowRankSite site(int layer, AdapterSite site) {
        return layers.get(layer).get(site);
    }

    Optional<LookupChange> lookup() {
        return lookup;
    }

    Optional<HeadChange> head() {
        return head;
    }

    /** Gives its memory back. Nobody may compute with it any more. Again does nothing. */
    @Override
    public void close() {
        if (open.compareAndSet(true, false)) {
            memory.close();
        }
    }
}
