// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.benchmark;

import java.util.concurrent.TimeUnit;
import org.lyapunov4j.exponent.LyapunovEstimator;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Time to the sign of λ, and to the whole panel (λ, μ, certificate, mean-square index, η_c), on a kernel with eigenvalues that decay
 * like 1/k. The learning rate is half of the full-batch critical one, B = 32.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(value = 1, jvmArgs = {"-Xmx6g", "-Dorg.bytedeco.javacpp.maxphysicalbytes=0"})
@Warmup(iterations = 3)
@Measurement(iterations = 5)
public class AnalysisBenchmark {
  /** A Gram matrix of 1/k eigenvalues and the step. */
  @State(Scope.Thread)
  public static class Kernel {
    private GramMatrix gram;
    private SgdStep step;

    void make(int m) {
      INDArray f = gaussian(m);
      f.muliRowVector(
          Nd4j.createFromArray(
              java.util.stream.IntStream.rangeClosed(1, m)
                  .mapToDouble(k -> 1 / Math.sqrt(k))
                  .toArray()));
      gram = GramMatrix.adopt(f.mmul(f.transpose()).toDoubleMatrix(), m, 1);
      step = SgdStep.of(m / LargestEigenpair.of(gram).value(), 32);
    }

    GramMatrix gram() {
      return gram;
    }

    SgdStep step() {
      return step;
    }

    private static INDArray gaussian(int m) {
      RandomStream random = new RandomStream(1);
      double[][] rows = new double[m][m];
      for (double[] row : rows) {
        for (int j = 0; j < m; j++) {
          row[j] = random.nextGaussian();
        }
      }
      return Nd4j.createFromArray(rows).castTo(DataType.DOUBLE);
    }
  }

  /** Sizes of the sign test. */
  @State(Scope.Thread)
  public static class Sign extends Kernel {
    @Param({"1000", "10000"})
    int decisionSize;

    @Setup(Level.Trial)
    public void setUp() {
      make(decisionSize);
    }
  }

  /** Sizes of the panel. */
  @State(Scope.Thread)
  public static class Panel extends Kernel {
    @Param({"512", "2048"})
    int panelSize;

    @Setup(Level.Trial)
    public void setUp() {
      make(panelSize);
    }
  }

  @Benchmark
  public LyapunovExponent decision(Sign kernel) {
    return LyapunovEstimator.builder().build().estimate(kernel.gram(), kernel.step());
  }

  @Benchmark
  public StabilityReport panel(Panel kernel) {
    return StabilityAnalyzer.builder().build().analyze(kernel.gram(), kernel.step());
  }
}
