package dev.tidestream.model.adapter;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.architecture.AttentionPlan;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.FeedForwardPlan;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.tensor.NonFiniteWeightException;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.memory.PageArena;
import dev.tidestream.model.tensor.panel.PanelPacker;

/**
 * Collects the weights of an adapter and packs them. Shapes must be those of the blueprint: whoever reads files checks them, and
 * knows the keys to name. For one thread.
 */
public final class AdapterBuilder {
    private final Blueprint blueprint;
    private final List<EnumMap<AdapterSite, List<Low>>> layers;
    private @Nullable LowRankFactors lookupFactors; // (V) in, (H) out
    private @Nullable LowRankFactors headFactors; // (H) in, (V) out
    private boolean oneTable; // whether the second factor of the head is the table of the lookup
    private @Nullable StoredMatrix lookupMatrix;
    private @Nullable StoredMatrix headMatrix;
    private int @Nullable [] lookupTokens;
    private int @Nullable [] headTokens;

    /** A change of some rows of an output. */
    private record Low(LowRankFactors factors, int output, int firstRow, int fromRow, int toRow) {}

    public AdapterBuilder(Blueprint blueprint) {
        this.blueprint = blueprint;
        this.layers = IntStream.range(0, blueprint.layers().size())
                .mapToObj(_ -> new EnumMap<AdapterSite, List<Low>>(AdapterSite.class)).toList();
    }

    /**
     * Changes a matrix of a layer.
     *
     * @param role of a matrix that the layer has
     */
    public AdapterBuilder layer(TensorRole role, int layer, LowRankFactors factors) {
        AttentionPlan attention = blueprint.layers().get(layer).attention();
        FeedForwardPlan feedForward = blueprint.layers().get(layer).feedForward();
        int rows = factors.b().rows();
        switch (role) {
            case QUERY, QUERY_KEY_VALUE -> add(layer, AdapterSite.QUERY_KEY_VALUE, new Low(factors, 0, 0, 0, rows));
            case KEY -> add(layer, AdapterSite.QUERY_KEY_VALUE, new Low(factors, 0, attention.queryDim(), 0, rows));
            case VALUE -> add(layer, AdapterSite.QUERY_KEY_VALUE,
                    new Low(factors, 0, attention.queryDim() + attention.kvDim(), 0, rows));
            case ATTENTION_OUTPUT -> add(layer, AdapterSite.ATTENTION_OUTPUT, new Low(factors, 0, 0, 0, rows));
            case GATE -> add(layer, AdapterSite.GATE_UP, new Low(factors, 0, 0, 0, rows));
            case UP -> add(layer, AdapterSite.GATE_UP, new Low(factors, feedForward.gated() ? 1 : 0, 0, 0, rows));
            case GATE_UP -> {
                add(layer, AdapterSite.GATE_UP, new Low(factors, 0, 0, 0, feedForward.size()));
                add(layer, AdapterSite.GATE_UP, new Low(factors, 1, 0, feedForward.size(), rows));
            }
            case DOWN -> add(layer, AdapterSite.DOWN, new Low(factors, 0, 0, 0, rows));
            case EMBEDDING, POSITIONS, ATTENTION_NORM, QUERY_NORM, KEY_NORM, ATTENTION_INNER_NORM, ATTENTION_AFTER_NORM,
                    FEED_FORWARD_NORM, FEED_FORWARD_INNER_NORM, FEED_FORWARD_AFTER_NORM, OUTPUT_NORM, ROTATION_FACTORS,
                    ROTATION_FACTORS_LONG, ROTATION_FACTORS_SHORT, OUTPUT ->
                throw new IllegalArgumentException("no matrix of a layer: role=" + role);
        }
        return this;
    }

    private void add(int layer, AdapterSite site, Low low) {
        layers.get(layer).computeIfAbsent(site, _ -> new ArrayList<>()).add(low);
    }

    /**
     * Changes lookups alone.
     *
     * @param factors of the transposed embedding: A (rank, V), B (H, rank)
     */
    public AdapterBuilder lookup(LowRankFactors factors) {
        lookupFactors = factors;
        return this;
    }

    /**
     * Changes logits alone.
     *
     * @param factors A (rank, H), B (V, rank)
     */
    public AdapterBuilder head(LowRankFactors factors) {
        headFactors = factors;
        return this;
    }

    /**
     * Changes the one matrix of lookups and logits.
     *
     * @param factors A (rank, H), B (V, rank)
     */
    public AdapterBuilder both(LowRankFactors factors) {
        oneTable = true;
        return head(factors).lookup(factors.transposed());
    }

    /** Another matrix (V, H) for lookups. */
    public AdapterBuilder lookup(StoredMatrix matrix) {
        lookupMatrix = matrix;
        return this;
    }

    /** Another matrix (V, H) for logits; the same object as for lookups is held once. */
    public AdapterBuilder head(StoredMatrix matrix) {
        headMatrix = matrix;
        return this;
    }

    /**
     * Other rows for the lookups of some tokens.
     *
     * @param tokens each once, in the order of the rows
     */
    public AdapterBuilder lookup(int[] tokens, StoredMatrix rows) {
        lookupTokens = tokens.clone();
        return lookup(rows);
    }

    /**
     * Other rows for the logits of some tokens; the same object as for lookups is held once, for the same tokens.
     *
     * @param tokens each once, in the order of the rows
     */
    public AdapterBuilder head(int[] tokens, StoredMatrix rows) {
        headTokens = tokens.clone();
        return head(rows);
    }

    /**
     * Packs all of it.
     *
     * @throws AdapterException if a value is not finite
     * @throws OutOfMemoryError if there is no memory for it
     */
    public Adapter build() {
        Packing packing = new Packing();
        boolean done = false;
        try {
            List<EnumMap<AdapterSite, LowRankSite>> sites = layers.stream().map(packing::layer).toList();
            Optional<LookupChange> lookup = packing.lookup();
            Optional<HeadChange> head = packing.head();
            Adapter adapter = new Adapter(sites, lookup, head, packing.memory, packing.bytes);
            done = true;
            return adapter;
        } catch (NonFiniteWeightException e) {
            throw new AdapterException(String.valueOf(e.getMessage()), e);
        } finally {
            if (!done) {
                packing.memory.close();
            }
        }
    }

    /** One build. */
    private final class Packing {
        private final PageArena memory = new PageArena();
        private @Nullable PanelMatrix table; // of the lookup (V, rank)
        private @Nullable PanelMatrix whole; // of the lookup (V, H), or its rows
        private long bytes;

        private PanelMatrix pack(StoredMatrix matrix) {
            PanelMatrix packed = PanelPacker.pack(matrix.name(), matrix.format(), matrix.rows(), matrix.columns(), matrix.data(), memory,
                    WorkerTeam.sequential());
            bytes += packed.bytes();
            return packed;
        }

        EnumMap<AdapterSite, LowRankSite> layer(Map<AdapterSite, List<Low>> lows) {
            EnumMap<AdapterSite, LowRankSite> sites = new EnumMap<>(AdapterSite.class);
            lows.forEach((site, changes) -> sites.put(site, site(changes)));
            return sites;
        }

        private LowRankSite site(List<Low> changes) {
            List<LowRankFactors> distinct = changes.stream().map(Low::factors).distinct().toList();
            List<LowRankSite.Part> parts = new ArrayList<>();
            for (Low low : changes) {
                int firstRank = distinct.stream().takeWhile(factors -> !factors.equals(low.factors())).mapToInt(LowRankFactors::rank).sum();
                StoredMatrix b = low.factors().b();
                boolean all = low.fromRow() == 0 && low.toRow() == b.rows();
                StoredMatrix up = all ? b : b.select(low.toRow() - low.fromRow(), row -> low.fromRow() + row);
                parts.add(new LowRankSite.Part(pack(up), firstRank, low.factors().scale(), low.output(), low.firstRow()));
            }
            return new LowRankSite(pack(StoredMatrix.stacked(distinct.stream().map(LowRankFactors::a).toList())), parts);
        }

        Optional<LookupChange> lookup() {
            if (lookupFactors != null) {
                table = pack(lookupFactors.a().transposed());
                return Optional.of(new LookupChange.Added(
                        table, new LowRankSite.Part(pack(lookupFactors.b()), 0, lookupFactors.scale(), 0, 0)));
            }
            if (lookupMatrix == null) {
                return Optional.empty();
            }
            if (lookupTokens == null) {
                whole = pack(lookupMatrix);
                return Optional.of(new LookupChange.Replaced(whole));
            }
            TokenRows rows = rows(lookupTokens, lookupMatrix);
            whole = rows.matrix();
            return Optional.of(new LookupChange.Rows(rows));
        }

        Optional<HeadChange> head() {
            if (headFactors != null) {
                PanelMatrix up = oneTable && table != null ? table : pack(headFactors.b());
                return Optional.of(new HeadChange.Added(new LowRankSite(
                        pack(headFactors.a()), List.of(new LowRankSite.Part(up, 0, headFactors.scale(), 0, 0)))));
            }
            if (headMatrix == null) {
                return Optional.empty();
            }
            boolean once = headMatrix == lookupMatrix && Arrays.equals(headTokens, lookupTokens);
            if (headTokens == null) {
                return Optional.of(new HeadChange.Replaced(once && whole != null ? whole : pack(headMatrix)));
            }
            return Optional.of(new HeadChange.Rows(once && whole != null
                    ? new TokenRows(sorted(headTokens), whole) : rows(headTokens, headMatrix)));
        }

        private TokenRows rows(int[] tokens, StoredMatrix matrix) {
            int[] order = IntStream.range(0, tokens.length).boxed().sorted((a, b) -> Integer.compare(tokens[a], tokens[b]))
                    .mapToInt(Integer::intValue).toArray();
            return new TokenRows(sorted(tokens), pack(matrix.select(tokens.length, row -> order[row])));
        }

        private static int[] sorted(int[] tokens) {
            int[] sorted = tokens.clone();
            Arrays.sort(sorted);
            return sorted;
        }
    }
}
