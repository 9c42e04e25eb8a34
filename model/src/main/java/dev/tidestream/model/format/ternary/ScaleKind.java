package dev.tidestream.model.format.ternary;

import java.lang.foreign.MemorySegment;

import dev.tidestream.model.format.base.PanelLayout;

import static dev.tidestream.model.format.base.PanelLayout.ROWS;

/** How the scales of 32 rows stand in front of a unit of a panel, in the order of rows. */
enum ScaleKind {
    /** F16. */
    HALF(Short.BYTES),
    /** F32. */
    SINGLE(Float.BYTES);

    private final int bytes;

    ScaleKind(int bytes) {
        this.bytes = bytes;
    }

    int headerBytes() {
        return ROWS * bytes;
    }

    float get(MemorySegment data, long unit, int lane) {
        return this == HALF ? Float.float16ToFloat(data.get(PanelLayout.SHORT, unit + lane * 2L))
                : data.get(PanelLayout.FLOAT, unit + lane * 4L);
    }

    /** Stores a scale, rounded to this kind; which bits that changed. */
    int exchange(MemorySegment data, long unit, int lane, float scale) {
        if (this == HALF) {
            return PanelLayout.exchange(data, unit + lane * 2L, Float.floatToFloat16(scale));
        }
        long at = unit + lane * 4L;
        int difference = Float.floatToRawIntBits(data.get(PanelLayout.FLOAT, at)) ^ Float.floatToRawIntBits(scale);
        data.set(PanelLayout.FLOAT, at, scale);
        return difference;
    }
}
