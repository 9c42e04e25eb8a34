package dev.tidestream.model.tied;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.RandomWeights;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.panel.PanelPacker;

/** Random weights and hidden states for the tests of heads. */
final class HeadCases {
    private HeadCases() {}

    static PanelMatrix weight(TensorFormat format, int vocabulary, int hidden, long seed, Arena arena) {
        MemorySegment source = RandomWeights.rowMajor(format, vocabulary, hidden, new SplittableRandom(seed), arena);
        return PanelPacker.pack("w", format, vocabulary, hidden, source, arena, WorkerTeam.sequential());
    }

    static EmbeddingLayer head(HeadMode mode, PanelMatrix weight, WorkerTeam team) {
        var config = new TiedWeightConfig(weight.rows(), weight.columns(), weight.format());
        return TiedHeads.build(mode, config, weight, KernelSelection.vector(), team);
    }

    /** (rows, hidden) */
    static float[] states(int rows, int hidden, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] states = new float[rows * hidden];
        for (int i = 0; i < states.length; i++) {
            states[i] = (float) random.nextGaussian();
        }
        return states;
    }

    /** (rows, V) */
    static float[] logits(EmbeddingLayer head, float[] states, int fromRow, int rows, WorkerTeam team) {
        Activations hidden = new Activations(rows, head.hiddenSize());
        hidden.reset(rows);
        System.arraycopy(states, fromRow * head.hiddenSize(), hidden.values(), 0, rows * head.hiddenSize());
        float[] logits = new float[rows * head.vocabularySize()];
        head.logits(hidden, logits, team);
        return logits;
    }

    /** Splits into ranges of the grain and runs them from the last to the first, each on a thread of its own if asked. */
    record BackwardTeam(boolean threads) implements WorkerTeam {
        @Override
        public int size() {
            return 2;
        }

        @Override
        public void forEachRange(int items, int grain, RangeTask task) {
            int ranges = Math.ceilDiv(items, grain);
            for (int range = ranges - 1; range >= 0; range--) {
                int from = range * grain;
                int to = Math.min(from + grain, items);
                if (threads) {
                    onThread(() -> task.run(from, to));
                } else {
                    task.run(from, to);
                }
            }
        }

        private static void onThread(Runnable work) {
            Thread thread = new Thread(work);
            thread.start();
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new AssertionError("interrupted", e);
            }
        }
    }
}
