// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.benchmark;

import java.util.concurrent.TimeUnit;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
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

/**
 * One step of the residual cocycle, r ← r − (η/B) G[:,S] r_S, against a copy of the same number of bytes and against ND4J. A step
 * reads 8·m·B bytes of G (4 in single precision); {@code copy} reads and writes half as many each.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(value = 1, jvmArgs = {"-Xmx6g", "-Dorg.bytedeco.javacpp.maxphysicalbytes=0"})
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class KernelBenchmark {
  @Param({"1000", "8192"})
  int m;

  @Param({"1", "32"})
  int batchSize;

  private GramMatrix gram;
  private GramMatrix single;
  private MiniBatchSampler sampler;
  private int[] batch;
  private double[] coefficients;
  private double[] r;
  private double[] source;
  private double[] target;
  private INDArray matrix;
  private INDArray vector;

  @Setup
  public void setUp() {
    double[][] rows = new double[m][m];
    float[][] floats = new float[m][m];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < m; j++) {
        rows[i][j] = i == j ? 1 : 1e-3 / (1 + Math.abs(i - j));
        floats[i][j] = (float) rows[i][j];
      }
    }
    gram = GramMatrix.adopt(rows, m, 1);
    single = GramMatrix.adopt(floats, m, 1);
    sampler =
        new MiniBatchSampler(m, batchSize, MiniBatchSampling.IID_SUBSETS, new RandomStream(1));
    batch = new int[batchSize];
    coefficients = new double[batchSize];
    r = new double[m];
    java.util.Arrays.fill(r, 1);
    source = new double[Math.max(m * batchSize / 2, 1 << 24)];
    target = new double[source.length];
    matrix = Nd4j.createFromArray(rows);
    vector = Nd4j.ones(DataType.DOUBLE, m, 1);
  }

  /** The kernel in double precision. */
  @Benchmark
  public double[] step() {
    return step(gram);
  }

  /** The kernel on single-precision entries, with double arithmetic. */
  @Benchmark
  public double[] stepOfSinglePrecision() {
    return step(single);
  }

  /** The same bytes, half read and half written, walking through 128 MiB so that caches do not help. */
  @Benchmark
  public double[] copy() {
    int length = m * batchSize / 2;
    position = position + 2 * length > source.length ? 0 : position + length;
    System.arraycopy(source, position, target, position, length);
    return target;
  }

  private int position;

  /** What a user of ND4J would write: select the rows, gemv, subtract. */
  @Benchmark
  public INDArray nd4j() {
    int size = sampler.next(batch);
    long[] rows = new long[size];
    for (int i = 0; i < size; i++) {
      rows[i] = batch[i];
    }
    INDArray selected = matrix.get(NDArrayIndex.indices(rows), NDArrayIndex.all());
    INDArray part = vector.get(NDArrayIndex.indices(rows), NDArrayIndex.all());
    return vector.subi(selected.transpose().mmul(part).muli(1e-9));
  }

  private double[] step(GramMatrix matrix) {
    int size = sampler.next(batch);
    for (int i = 0; i < size; i++) {
      coefficients[i] = -1e-9 * r[batch[i]];
    }
    matrix.addColumns(batch, coefficients, size, r);
    return r;
  }
}
