package dev.tidestream.model.adapter;

import java.util.List;

import dev.tidestream.model.adapter.LowRankSite.Part;
import dev.tidestream.model.adapter.RowGroups.Group;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;

/**
 * What adapters add to the products of the base, for those rows of a batch that have one. The base product of every row is what it is
 * without adapters, to the bit; then for a row x with a change of factors A (r, in), B (out, r) and scale s:
 *
 * <pre>
 *   low[j] = sum over k of A[j][k] * x[k]     a chain of fma from 0, k ascending (Kernels.multiply, PLAIN)
 *   t[j]   = s * low[j]                       rounded
 *   d[i]   = sum over j of B[i][j] * t[j]     a chain of fma from 0, j ascending
 *   y[i]   = y[i] + d[i]                      rounded
 * </pre>
 *
 * x is in float32, also where the base takes int8 activations. Of a lookup, {@code low[j]} is {@code A[j][token]}. All of it stands on
 * {@link Kernels#multiply}, which treats each row as if it were alone and gives the same bits in every implementation: so does this.
 *
 * <p>Rows of one adapter are gathered, whatever stands between them. One caller at a time.
 */
public final class AdapterRows {
    private static final int GRAIN_PANELS = 4;

    private final Kernels kernels;
    private final WorkerTeam team;
    private final AdapterScratch scratch;

    /**
     * An output of the base products of a site.
     *
     * @param values {@code (rows, stride)} from offset 0
     */
    public record Output(float[] values, int stride) {}

    /**
     * @param team works on one region at a time, on behalf of the caller
     * @param scratch of this caller
     */
    public AdapterRows(Kernels kernels, WorkerTeam team, AdapterScratch scratch) {
        this.kernels = kernels;
        this.team = team;
        this.scratch = scratch;
    }

    /** Whether an adapter of these rows changes this site, so that its products are needed before anything is made of them. */
    public static boolean change(RowGroups rows, int layer, AdapterSite site) {
        for (Group group : rows.groups()) {
            if (group.adapter().site(layer, site) != null) {
                return true;
            }
        }
        return false;
    }

    /**
     * Adds to the products of a site.
     *
     * @param x what the base multiplied with; its floats are taken
     * @param outputs as the site has them, see {@link AdapterSite}
     */
    public void add(RowGroups rows, int layer, AdapterSite site, Activations x, Output... outputs) {
        for (Group group : rows.groups()) {
            LowRankSite change = group.adapter().site(layer, site);
            if (change != null) {
                add(change, group, x, outputs);
            }
        }
    }

    private void add(LowRankSite site, Group group, Activations x, Output... outputs) {
        int atOnce = AdapterScratch.rowsAtOnce(outputsOf(site.parts()));
        for (int from = 0; from < group.count(); from += atOnce) {
            int count = Math.min(atOnce, group.count() - from);
            Activations input = gather(group, from, count, x);
            int ranks = site.down().rows();
            float[] low = scratch.low(count * ranks);
            multiply(site.down(), input, low, ranks, 0);
            for (int i = 0; i < site.parts().size(); i++) {
                Part part = site.parts().get(i);
                float[] scaled = scratch.low(i, count, part.rank()).values();
                for (int b = 0; b < count; b++) {
                    for (int j = 0; j < part.rank(); j++) {
                        scaled[b * part.rank() + j] = part.scale() * low[b * ranks + part.firstRank() + j];
                    }
                }
            }
            addProducts(site.parts(), group, from, count, outputs);
        }
    }

    private Activations gather(Group group, int from, int count, Activations x) {
        int columns = x.columns();
        Activations input = scratch.input(count, columns);
        for (int b = 0; b < count; b++) {
            System.arraycopy(x.values(), group.row(from + b) * columns, input.values(), b * columns, columns);
        }
        return input;
    }

    private static int outputsOf(List<Part> parts) {
        return parts.stream().mapToInt(part -> part.up().rows()).sum();
    }

    private void multiply(PanelMatrix matrix, Activations x, float[] out, int stride, int offset) {
        team.forEachRange(matrix.panels(), GRAIN_PANELS, (from, to) -> kernels.multiply(matrix, x, out, stride, offset, from, to));
    }

    /** Second factors times what was scaled, for all parts in one region: what a thread has computed it adds. */
    private void addProducts(List<Part> parts, Group group, int firstOfGroup, int count, Output... outputs) {
        int stride = outputsOf(parts);
        float[] products = scratch.products(count * stride);
        Activations[] scaled = new Activations[parts.size()];
        for (int i = 0; i < scaled.length; i++) {
            scaled[i] = scratch.low(i, count, parts.get(i).rank());
        }
        int panels = parts.stream().mapToInt(part -> part.up().panels()).sum();
        team.forEachRange(panels, GRAIN_PANELS, (from, to) -> {
            int firstPanel = 0;
            int firstProduct = 0;
            for (int i = 0; i < scaled.length; i++) {
                PanelMatrix up = parts.get(i).up();
                int first = Math.max(from - firstPanel, 0);
                int last = Math.min(to - firstPanel, up.panels());
                if (first < last) {
                    kernels.multiply(up, scaled[i], products, stride, firstProduct, first, last);
                    for (int b = 0; b < count; b++) {
                        addRow(parts.get(i), first, last, products, b * stride + firstProduct, group.row(firstOfGroup + b), outputs);
                    }
                }
                firstPanel += up.panels();
                firstProduct += up.rows();
            }
        });
    }

    private static void addRow(Part part, int firstPanel, int lastPanel, float[] products, int at, int row, Output... outputs) {
        Output output = outputs[part.output()];
        float[] values = output.values();
        int to = row * output.stride() + part.firstRow();
        int last = Math.min(lastPanel * PanelLayout.ROWS, part.up().rows());
        for (int i = firstPanel * PanelLayout.ROWS; i < last; i++) {
            values[to + i] += products[at + i];
        }
    }

    /**
     * Changes embeddings of tokens, before anything is made of them.
     *
     * @param tokens of all rows of the batch
     * @param hidden {@code (rows, H)}: as the base has them
     */
    public void lookup(RowGroups rows, int[] tokens, float[] hidden, int hiddenSize) {
        for (Group group : rows.groups()) {
            group.adapter().lookup().ifPresent(change -> {
                switch (change) {
                    case LookupChange.Added(PanelMatrix table, Part up) -> addLookups(table, up, group, tokens, hidden, hiddenSize);
                    case LookupChange.Replaced(PanelMatrix matrix) -> {
                        for (int i = 0; i < group.count(); i++) {
                            matrix.copyRow(tokens[group.row(i)], hidden, group.row(i) * hiddenSize);
                        }
                    }
                    case LookupChange.Rows(TokenRows other) -> {
                        for (int i = 0; i < group.count(); i++) {
                            int found = other.rowOf(tokens[group.row(i)]);
                            if (found >= 0) {
                                other.matrix().copyRow(found, hidden, group.row(i) * hiddenSize);
                            }
                        }
                    }
                }
            });
        }
    }

    private void addLookups(PanelMatrix table, Part up, Group group, int[] tokens, float[] hidden, int hiddenSize) {
        int rank = up.rank();
        int atOnce = AdapterScratch.rowsAtOnce(hiddenSize);
        for (int from = 0; from < group.count(); from += atOnce) {
            int count = Math.min(atOnce, group.count() - from);
            float[] scaled = scratch.low(0, count, rank).values();
            for (int b = 0; b < count; b++) {
                table.copyRow(tokens[group.row(from + b)], scaled, b * rank);
            }
            for (int i = 0; i < count * rank; i++) {
                scaled[i] *= up.scale();
            }
            addProducts(List.of(up), group, from, count, new Output(hidden, hiddenSize));
        }
    }

    /**
     * Changes logits.
     *
     * @param rows of the logits
     * @param x final hidden states {@code (rows, H)}; its floats are taken
     * @param logits {@code (rows, V)}: as the base has them; those of a replaced head need not be there
     */
    public void head(RowGroups rows, Activations x, float[] logits, int vocabularySize) {
        for (Group group : rows.groups()) {
            group.adapter().head().ifPresent(change -> {
                switch (change) {
                    case HeadChange.Added(LowRankSite site) -> add(site, group, x, new Output(logits, vocabularySize));
                    case HeadChange.Replaced(PanelMatrix matrix) -> replaceAll(matrix, group, x, logits, vocabularySize);
                    case HeadChange.Rows(TokenRows other) -> replaceSome(other, group, x, logits, vocabularySize);
                }
            });
        }
    }

    private void replaceAll(PanelMatrix matrix, Group group, Activations x, float[] logits, int vocabularySize) {
        int atOnce = AdapterScratch.rowsAtOnce(vocabularySize);
        for (int from = 0; from < group.count(); from += atOnce) {
            int count = Math.min(atOnce, group.count() - from);
            float[] products = scratch.products(count * vocabularySize);
            multiply(matrix, gather(group, from, count, x), products, vocabularySize, 0);
            for (int b = 0; b < count; b++) {
                System.arraycopy(products, b * vocabularySize, logits, group.row(from + b) * vocabularySize, vocabularySize);
            }
        }
    }

    private void replaceSome(TokenRows other, Group group, Activations x, float[] logits, int vocabularySize) {
        int tokens = other.tokens().length;
        int atOnce = AdapterScratch.rowsAtOnce(tokens);
        for (int from = 0; from < group.count(); from += atOnce) {
            int count = Math.min(atOnce, group.count() - from);
            float[] products = scratch.products(count * tokens);
            multiply(other.matrix(), gather(group, from, count, x), products, tokens, 0);
            for (int b = 0; b < count; b++) {
                for (int i = 0; i < tokens; i++) {
                    logits[group.row(from + b) * vocabularySize + other.tokens()[i]] = products[b * tokens + i];
                }
            }
        }
    }
}
