package dev.tidestream.model.tensor;

/** How code goes through a panel: units (a block, or a super-block), each a header and some blocks. */
sealed interface PanelUnits permits QuadCode, FloatCode {

    /** Bytes in front of the first block of a unit. */
    int headerBytes();

    /** Blocks of a unit. */
    int blocks();

    /** Bytes of a block. */
    int blockBytes();

    /** Writes code that reads the header of a unit into {@link MachineScratch}. */
    default void header() {
        // none but for super-blocks
    }
}
