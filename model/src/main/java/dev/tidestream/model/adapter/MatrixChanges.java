package dev.tidestream.model.adapter;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

import dev.tidestream.model.adapter.MatrixChange.Factor;
import dev.tidestream.model.architecture.AttentionPlan;
import dev.tidestream.model.architecture.FeedForwardPlan;
import dev.tidestream.model.architecture.LayerPlan;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.tensor.PanelMatrix;

/** From what an adapter adds to outputs back to the matrices that it changes: the other way round than {@link AdapterBuilder}. */
final class MatrixChanges {
    private MatrixChanges() {}

    /** A part, and which row of its matrix is its first. */
    private record Placed(LowRankSite.Part part, int firstRow) {}

    /** Of the matrices of a layer. */
    static List<MatrixChange> ofLayer(int layer, LayerPlan plan, Map<AdapterSite, LowRankSite> sites) {
        List<MatrixChange> changes = new ArrayList<>();
        sites.forEach((site, change) -> {
            Map<TensorRole, List<Placed>> byMatrix = new EnumMap<>(TensorRole.class);
            for (LowRankSite.Part part : change.parts()) {
                TensorRole role = role(site, part, plan);
                int firstRow = role == TensorRole.GATE_UP ? part.output() * plan.feedForward().size() : 0;
                byMatrix.computeIfAbsent(role, _ -> new ArrayList<>()).add(new Placed(part, firstRow));
            }
            byMatrix.forEach((role, parts) -> changes.add(lowRank(role, layer, change.down(), parts)));
        });
        return changes;
    }

    private static TensorRole role(AdapterSite site, LowRankSite.Part part, LayerPlan plan) {
        AttentionPlan attention = plan.attention();
        FeedForwardPlan feedForward = plan.feedForward();
        return switch (site) {
            case QUERY_KEY_VALUE -> attention.fused() ? TensorRole.QUERY_KEY_VALUE
                    : part.firstRow() == 0 ? TensorRole.QUERY
                    : part.firstRow() == attention.queryDim() ? TensorRole.KEY : TensorRole.VALUE;
            case ATTENTION_OUTPUT -> TensorRole.ATTENTION_OUTPUT;
            case GATE_UP -> feedForward.fused() ? TensorRole.GATE_UP
                    : feedForward.gated() && part.output() == 0 ? TensorRole.GATE : TensorRole.UP;
            case DOWN -> TensorRole.DOWN;
        };
    }

    /** @param parts of one pair of factors, of which B may be in pieces */
    private static MatrixChange lowRank(TensorRole role, int layer, PanelMatrix down, List<Placed> parts) {
        LowRankSite.Part first = parts.getFirst().part();
        return new MatrixChange.LowRank(role, layer, first.scale(), rows(down, first.firstRank(), first.rank()), stacked(parts));
    }

    /** What an adapter makes of lookups. */
    static Stream<MatrixChange> of(Optional<LookupChange> lookup) {
        return lookup.stream().map(change -> switch (change) {
            case LookupChange.Added(PanelMatrix table, LowRankSite.Part up) -> new MatrixChange.LowRank(
                    TensorRole.EMBEDDING, MatrixChange.NO_LAYER, up.scale(), transposed(up.up()), rows(table, 0, table.rows()));
            case LookupChange.Replaced(PanelMatrix matrix) -> new MatrixChange.Replaced(TensorRole.EMBEDDING, matrix);
            case LookupChange.Rows(TokenRows rows) -> new MatrixChange.Rows(TensorRole.EMBEDDING, rows.tokens(), rows.matrix());
        });
    }

    /** What an adapter makes of logits. */
    static Stream<MatrixChange> ofHead(Optional<HeadChange> head) {
        return head.stream().map(change -> switch (change) {
            case HeadChange.Added(LowRankSite site) -> lowRank(
                    TensorRole.OUTPUT, MatrixChange.NO_LAYER, site.down(), List.of(new Placed(site.parts().getFirst(), 0)));
            case HeadChange.Replaced(PanelMatrix matrix) -> new MatrixChange.Replaced(TensorRole.OUTPUT, matrix);
            case HeadChange.Rows(TokenRows rows) -> new MatrixChange.Rows(TensorRole.OUTPUT, rows.tokens(), rows.matrix());
        });
    }

    private static Factor rows(PanelMatrix matrix, int from, int count) {
        return new Factor() {
            @Override
            public int rows() {
                return count;
            }

            @Override
            public int columns() {
                return matrix.columns();
            }

            @Override
            public void copyRow(int row, float[] out) {
                matrix.copyRow(from + row, out, 0);
            }
        };
    }

    private static Factor stacked(List<Placed> parts) {
        return new Factor() {
            @Override
            public int rows() {
                return parts.stream().mapToInt(placed -> placed.part().up().rows()).sum();
            }

            @Override
            public int columns() {
                return parts.getFirst().part().rank();
            }

            @Override
            public void copyRow(int row, float[] out) {
                for (Placed placed : parts) {
                    PanelMatrix up = placed.part().up();
                    if (row >= placed.firstRow() && row < placed.firstRow() + up.rows()) {
                        up.copyRow(row - placed.firstRow(), out, 0);
                        return;
                    }
                }
                throw new IndexOutOfBoundsException("row=" + row);
            }
        };
    }

    /** A small matrix (out, rank) as (rank, out). */
    private static Factor transposed(PanelMatrix matrix) {
        float[][] values = new float[matrix.columns()][matrix.rows()];
        float[] row = new float[matrix.columns()];
        for (int i = 0; i < matrix.rows(); i++) {
            matrix.copyRow(i, row, 0);
            for (int k = 0; k < row.length; k++) {
                values[k][i] = row[k];
            }
        }
        return new Factor() {
            @Override
            public int rows() {
                return values.length;
            }

            @Override
            public int columns() {
                return matrix.rows();
            }

            @Override
            public void copyRow(int row, float[] out) {
                System.arraycopy(values[row], 0, out, 0, matrix.rows());
            }
        };
    }
}
