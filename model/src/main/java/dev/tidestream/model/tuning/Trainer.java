package dev.tidestream.model.tuning;

import java.util.Arrays;
import java.util.List;

import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tuning.product.MatrixProducts;

/**
 * Trains a model, one step after the other. The sequences of a batch are shared among the threads of a team; their gradients are
 * summed in the order of the batch, so the bits do not depend on the team. One caller at a time.
 */
public final class Trainer {
    private static final double LARGEST_NORM = 1; // of all gradients; larger ones are scaled down (Pascanu et al. 2013)

    private final TuningModel model;
    private final Adam adam;
    private final LearningRate learningRate;
    private final Products products;
    private final WorkerTeam team;

    public Trainer(TuningModel model, Adam adam, LearningRate learningRate, MatrixProducts products, WorkerTeam team) {
        this.model = model;
        this.adam = adam;
        this.learningRate = learningRate;
        this.products = new Products(products);
        this.team = team;
    }

    /**
     * A step's figures.
     *
     * @param loss mean negative log-likelihood of the batch, before the step
     * @param gradientNorm before it was limited
     */
    public record Step(double loss, double gradientNorm, double learningRate) {}

    /**
     * One step.
     *
     * @param step counted from 1
     * @param batch sequences; the last token of each is only predicted
     * @throws TuningException if loss or gradients are not finite; nothing was changed then
     */
    public Step step(int step, List<int[]> batch) {
        Gradients gradients = new Gradients(model.parameters());
        double loss = gradients(batch, gradients);
        double norm = gradients.norm();
        if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
            throw new TuningException(("the loss or its gradient is not finite: step=%d, loss=%s, gradient=%s;"
                    + " a lower learning rate may help").formatted(step, loss, norm));
        }
        if (norm > LARGEST_NORM) {
            gradients.scale(LARGEST_NORM / norm);
        }
        double rate = learningRate.at(step);
        adam.step(gradients, rate, step);
        model.changed();
        return new Step(loss, norm, rate);
    }

    /**
     * The mean loss of a batch, and its gradients.
     *
     * @param sum the gradients are added to it
     */
    double gradients(List<int[]> batch, Gradients sum) {
        double scale = 1.0 / predicted(batch);
        double[] losses = new double[batch.size()];
        Gradients[] parts = new Gradients[batch.size()];
        team.forEachRange(batch.size(), 1, (from, to) -> {
            for (int i = from; i < to; i++) {
                parts[i] = new Gradients(model.parameters());
                SequencePass pass = pass(batch.get(i));
                losses[i] = pass.lossAndItsGradient(targets(batch.get(i)));
                pass.backward(scale, parts[i]);
            }
        });
        for (Gradients part : parts) {
            sum.add(part);
        }
        return Arrays.stream(losses).sum() * scale;
    }

    /** The mean negative log-likelihood of some sequences. */
    public double loss(List<int[]> sequences) {
        double[] losses = new double[sequences.size()];
        team.forEachRange(sequences.size(), 1, (from, to) -> {
            for (int i = from; i < to; i++) {
                losses[i] = pass(sequences.get(i)).lossAndItsGradient(targets(sequences.get(i)));
            }
        });
        return Arrays.stream(losses).sum() / predicted(sequences);
    }

    private SequencePass pass(int[] sequence) {
        return new SequencePass(model, Arrays.copyOf(sequence, sequence.length - 1), products);
    }

    private static int[] targets(int[] sequence) {
        return Arrays.copyOfRange(sequence, 1, sequence.length);
    }

    private static long predicted(List<int[]> sequences) {
        return sequences.stream().mapToLong(sequence -> sequence.length - 1L).sum();
    }
}
