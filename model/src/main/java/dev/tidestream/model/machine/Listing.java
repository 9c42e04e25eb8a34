package dev.tidestream.model.machine;

import java.util.List;

/**
 * Machine code as text, instruction by instruction, see {@link Assembler#withListing}. Immutable.
 *
 * @param instructions in the order of the code, without gaps
 */
public record Listing(List<Instruction> instructions) {
    /** Takes a copy. */
    public Listing {
        instructions = List.copyOf(instructions);
    }

    /**
     * One instruction.
     *
     * @param offset bytes before it
     * @param labels names of this place
     * @param hex its bytes, such as {@code c5 f8 77}
     * @param mnemonic Intel's name, in lower case; {@code db} for bytes that are no instruction of the assembler's
     * @param operands in Intel's order: what receives the result first
     */
    public record Instruction(int offset, List<String> labels, String hex, String mnemonic, String operands) {
        /** Takes a copy. */
        public Instruction {
            labels = List.copyOf(labels);
        }

        /** Mnemonic and operands, such as {@code add rcx, 64}. */
        public String text() {
            return operands.isEmpty() ? mnemonic : mnemonic + " " + operands;
        }
    }
}
