// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.benchmark;

import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.stability.CriticalLearningRate;
import org.lyapunov4j.stability.EdgeFinder;
import org.lyapunov4j.stability.EdgeTrack;
import org.lyapunov4j.stability.MeanSquareReport;
import org.lyapunov4j.stability.MeanSquareStability;
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
 * The edge by parts, beside the eigendecomposition of the same matrix in the same run. Eigenvalues decay like 1/k², as those of tangent kernels do at least; a
 * quarter of the examples in a batch, at half of the full batch's critical learning rate.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(value = 1, jvmArgs = {"-Xmx6g", "-Dorg.bytedeco.javacpp.maxphysicalbytes=0"})
@Warmup(iterations = 4)
@Measurement(iterations = 5)
public class PartsBenchmark {
  /** N·K, or the next multiple of K. */
  @Param({"1000", "2048"})
  int size;

  @Param({"1", "10"})
  int outputs;

  private GramMatrix gram;
  private GramSpectrum spectrum;
  private SgdStep step;
  private double meanSquareRate;
  private EdgeTrack track;

  /** Makes the matrix and what the later parts take from the earlier ones. */
  @Setup(Level.Trial)
  public void setUp() {
    int examples = (size + outputs - 1) / outputs;
    int m = examples * outputs;
    RandomStream random = new RandomStream(1);
    double[][] rows = new double[m][m];
    for (double[] row : rows) {
      for (int j = 0; j < m; j++) {
        row[j] = random.nextGaussian() / (j + 1);
      }
    }
    INDArray f = Nd4j.createFromArray(rows).castTo(DataType.DOUBLE);
    gram = GramMatrix.adopt(f.mmul(f.transpose()).toDoubleMatrix(), examples, outputs);
    spectrum = GramSpectrum.of(gram);
    step = SgdStep.of(examples / spectrum.largest(), Math.max(1, examples / 4));
    meanSquareRate = meanSquare().criticalLearningRate().low();
    track = EdgeFinder.builder().build().track(gram, step, meanSquareRate, Optional.empty());
  }

  @Benchmark
  public GramSpectrum eigendecomposition() {
    return GramSpectrum.of(gram);
  }

  @Benchmark
  public MeanSquareReport meanSquare() {
    return MeanSquareStability.of(spectrum).analyzeAtBatchSize(step);
  }

  @Benchmark
  public CriticalLearningRate edge() {
    return EdgeFinder.builder()
        .build()
        .criticalLearningRate(gram, step, meanSquareRate, Optional.empty());
  }

  @Benchmark
  public EdgeTrack trackedEdge() {
    return EdgeFinder.builder().build().track(gram, step, meanSquareRate, Optional.of(track));
  }
}
