package dev.tidestream.model.tensor;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.kernels.KernelSelection;

/** One thread, what stands between the matrices: norm, activation function, quantising. The sizes of one row of a 1B model. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class ElementwiseBenchmark {
    @Param({"2048", "8192"})
    private int size;

    private float[] a = {};
    private float[] b = {};
    private float[] out = {};
    private Norm norm = Norm.rms(1e-5f, b);
    private Activations x = new Activations(1, PanelLayout.BLOCK);

    /** Makes random rows. */
    @Setup
    public void rows() {
        SplittableRandom random = new SplittableRandom(1);
        a = new float[size];
        b = new float[size];
        out = new float[size];
        x = new Activations(1, size);
        x.reset(1);
        for (int i = 0; i < size; i++) {
            a[i] = (float) random.nextGaussian();
            b[i] = (float) random.nextGaussian();
            x.values()[i] = a[i];
        }
        norm = Norm.rms(1e-5f, b);
    }

    /** Root mean square normalisation. */
    @Benchmark
    public float[] rmsNorm() {
        KernelSelection.vector().normalise(norm, a, 0, out, 0);
        return out;
    }

    /** SwiGLU. */
    @Benchmark
    public float[] swiGlu() {
        KernelSelection.vector().gate(ActivationFunction.SILU, a, b, out, 0, size);
        return out;
    }

    /** To int8 codes. */
    @Benchmark
    public Activations quantise() {
        x.reset(1);
        x.quantise(KernelSelection.fastest(), WorkerTeam.sequential());
        return x;
    }
}
