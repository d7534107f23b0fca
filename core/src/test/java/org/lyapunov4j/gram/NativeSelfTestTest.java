// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.gram.NativeSelfTest.Result;

class NativeSelfTestTest {
  /** The parent's pom.xml takes care of that; tests that measure accuracy rely on it. */
  @Test
  void theLibraryOfThisBuildIsRight() {
    assertThat(NativeSelfTest.run()).hasSizeGreaterThan(50).allMatch(Result::right);
  }

  @Test
  void aWrongRoutineIsNamedAtTheSizesWhereItIsWrong() {
    List<EigenRoutine> routines = new ArrayList<>();
    routines.add(
        new EigenRoutine(
            "wrong from 65 on",
            (a, m, vectors) ->
                (m < 65
                        ? new EigenRoutine("right", EigenRoutines::hipparchus)
                        : WrongRoutines.HALF_OF_THE_ROWS_ZERO.routine())
                    .solver()
                    .decompose(a, m, vectors)));
    MatrixProduct.Gemm wrong =
        (a, b, c, transposeA, transposeB) -> {
          MatrixProduct.inJava(a, b, c, transposeA, transposeB);
          if (c.size(0) >= 128) {
            c.putScalar(0, 0, 1e3);
          }
        };

    List<Result> results = NativeSelfTest.run(routines, wrong, MatrixProduct.NATIVE);

    assertThat(results)
        .allSatisfy(
            result -> {
              boolean expected =
                  switch (result.routine()) {
                    case "wrong from 65 on, eigenvectors" -> result.size() < 65;
                    case "ND4J's gemm, DOUBLE", "ND4J's gemm, FLOAT" -> result.size() < 128;
                    default -> true;
                  };
              assertThat(result.right()).as(result.toString()).isEqualTo(expected);
            });
  }
}
