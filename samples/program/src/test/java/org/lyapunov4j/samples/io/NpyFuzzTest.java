// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;

/** Whatever the bytes, reading ends in a matrix or in one line of complaint. */
class NpyFuzzTest {
  private static final String GOOD = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1), }";

  private Path file;

  @BeforeProperty
  void createFile() throws IOException {
    file = Files.createTempFile("fuzz", ".npy");
  }

  @AfterProperty
  void deleteFile() throws IOException {
    Files.delete(file);
  }

  @Property(tries = 3000)
  void anyBytes(@ForAll @Size(max = 300) byte[] bytes) throws IOException {
    requireMatrixOrComplaint(bytes);
  }

  @Property(tries = 3000)
  void anyHeader(@ForAll("headers") String header, @ForAll("versions") int version)
      throws IOException {
    requireMatrixOrComplaint(NpyFileTest.npy(version, header));
  }

  @Property(tries = 3000)
  void goodFileWithOneByteChanged(@ForAll("positions") int position, @ForAll byte value)
      throws IOException {
    byte[] header = NpyFileTest.npy(1, GOOD);
    byte[] bytes = java.util.Arrays.copyOf(header, header.length + Double.BYTES);
    bytes[position] = value;
    requireMatrixOrComplaint(bytes);
  }

  @Property(tries = 500)
  void whatIsWrittenIsRead(@ForAll("matrices") double[][] rows) throws IOException {
    NpyFile.write(file, rows);
    assertThat(ArrayFile.readMatrix(file.toString()).doubles()).isDeepEqualTo(rows);
  }

  @Provide
  Arbitrary<String> headers() {
    Arbitrary<String> token =
        Arbitraries.of(
            "{",
            "}",
            "(",
            ")",
            "[",
            "'",
            "\"",
            ",",
            ":",
            " ",
            "'descr'",
            "'<f8'",
            "'|O'",
            "'fortran_order'",
            "False",
            "True",
            "'shape'",
            "(1, 1)",
            "1",
            "-3",
            "99999999999",
            "\n",
            "λ");
    return Arbitraries.oneOf(
        token.list().ofMaxSize(30).map(tokens -> String.join("", tokens)),
        Combinators.combine(token, Arbitraries.integers().between(0, GOOD.length()))
            .as((added, at) -> GOOD.substring(0, at) + added + GOOD.substring(at)),
        Arbitraries.integers().between(0, GOOD.length()).map(end -> GOOD.substring(0, end)));
  }

  @Provide
  Arbitrary<Integer> versions() {
    return Arbitraries.of(1, 2, 3);
  }

  @Provide
  Arbitrary<Integer> positions() {
    return Arbitraries.integers().between(0, NpyFileTest.npy(1, GOOD).length + Double.BYTES - 1);
  }

  @Provide
  Arbitrary<double[][]> matrices() {
    return Arbitraries.integers()
        .between(1, 6)
        .flatMap(
            columns ->
                Arbitraries.doubles()
                    .array(double[].class)
                    .ofSize(columns)
                    .array(double[][].class)
                    .ofMinSize(1)
                    .ofMaxSize(6));
  }

  private void requireMatrixOrComplaint(byte[] bytes) throws IOException {
    Files.write(file, bytes);
    try {
      NumericMatrix matrix = ArrayFile.readMatrix(file.toString());
      assertThat((long) matrix.rows() * matrix.columns() * Float.BYTES)
          .isLessThanOrEqualTo(bytes.length);
    } catch (BadFileException complaint) {
      assertThat(complaint.getMessage().getBytes(StandardCharsets.UTF_8).length).isLessThan(600);
      assertThat(complaint.getMessage()).doesNotContainPattern("\\R");
    }
  }
}
