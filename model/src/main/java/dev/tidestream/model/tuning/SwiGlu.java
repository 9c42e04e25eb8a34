package dev.tidestream.model.tuning;

/** A gate with SiLU (Shazeer 2020): {@code y = gate * sigmoid(gate) * up}. */
final class SwiGlu {
    private final Dense gate; // (T, F)
    private final Dense up; // (T, F)
    private final double[] sigmoid; // (T, F)
    private final Dense y; // (T, F)

    SwiGlu(Dense gate, Dense up) {
        this.gate = gate;
        this.up = up;
        this.sigmoid = new double[gate.data().length];
        this.y = Dense.zeros(gate.rows(), gate.columns());
        for (int i = 0; i < sigmoid.length; i++) {
            sigmoid[i] = 1 / (1 + StrictMath.exp(-gate.data()[i]));
            y.data()[i] = gate.data()[i] * sigmoid[i] * up.data()[i];
        }
    }

    Dense y() {
        return y;
    }

    /** Writes the gradients of gate and up. */
    void backward(Dense dy, Dense dGate, Dense dUp) {
        for (int i = 0; i < sigmoid.length; i++) {
            double x = gate.data()[i];
            dUp.data()[i] = dy.data()[i] * x * sigmoid[i];
            dGate.data()[i] = dy.data()[i] * up.data()[i] * sigmoid[i] * (1 + x * (1 - sigmoid[i]));
        }
    }
}
