// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import org.deeplearning4j.nn.api.Model;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.exponent.TangentGram;
import org.lyapunov4j.exponent.TangentOperator;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * What every rule must satisfy, inherited by the tests of all rules: the plain kernel of each
 * network is that of the naive Jacobian, in double and float; with the mean-squared loss the
 * weighted kernel is 2/K times it; the model does not change.
 */
@TestInstance(Lifecycle.PER_CLASS)
abstract class ConformanceKit {
  /**
   * A network with a probe set. Its losses are {@code LossMSE}.
   *
   * @param name what it shows
   * @param model makes the network in a precision
   * @param data the probe set in double
   * @param differences whether the truth is finite differences, since Deeplearning4j's gradients
   *     are others
   */
  record Case(
      String name, Function<DataType, Model> model, MultiDataSet data, boolean differences) {
    Case(String name, Function<DataType, Model> model, INDArray features, INDArray labels) {
      this(name, model, new MultiDataSet(features, labels), false);
    }

    Case byDifferences() {
      return new Case(name, model, data, true);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  abstract List<Case> cases();

  private static MultiDataSet cast(MultiDataSet data, DataType type) {
    return new MultiDataSet(
        cast(data.getFeatures(), type),
        cast(data.getLabels(), type),
        cast(data.getFeaturesMaskArrays(), type),
        cast(data.getLabelsMaskArrays(), type));
  }

  private static INDArray[] cast(INDArray[] arrays, DataType type) {
    if (arrays == null) {
      return null;
    }
    INDArray[] results = new INDArray[arrays.length];
    for (int i = 0; i < arrays.length; i++) {
      results[i] = arrays[i] == null ? null : arrays[i].castTo(type);
    }
    return results;
  }

  private static GramMatrix gram(Model model, MultiDataSet data, Weighting weighting) {
    try (NtkGram gram = NtkGram.builder(model).probe(data).weighting(weighting).build()) {
      return gram.compute(model.params()).gram();
    }
  }

  private final Map<String, double[][]> jacobians = new HashMap<>();

  private double[][] truth(Case example) {
    return NaiveJacobian.gram(jacobian(example));
  }

  private double[][] jacobian(Case example) {
    return jacobians.computeIfAbsent(
        example.name(),
        name -> {
          Model model = example.model().apply(DataType.DOUBLE);
          double[][] all =
              example.differences()
                  ? NaiveJacobian.byFiniteDifferences(model, example.data(), 1e-3)
                  : NaiveJacobian.of(model, example.data(), false);
          return counted(all, examples(example));
        });
  }

  private static int examples(Case example) {
    return (int) example.data().getFeatures(0).size(0);
  }

  /**
   * The rows that masks leave, which are those that are not 0, first in each example; examples with
   * fewer than others end in rows of zeros.
   */
  private static double[][] counted(double[][] jacobian, int examples) {
    int outputs = jacobian.length / examples;
    double[][][] left = new double[examples][][];
    int most = 0;
    for (int i = 0; i < examples; i++) {
      left[i] =
          Arrays.stream(jacobian, i * outputs, (i + 1) * outputs)
              .filter(row -> Arrays.stream(row).anyMatch(entry -> entry != 0))
              .toArray(double[][]::new);
      most = Math.max(most, left[i].length);
    }
    double[][] rows = new double[examples * most][jacobian[0].length];
    for (int i = 0; i < examples; i++) {
      System.arraycopy(left[i], 0, rows, i * most, left[i].length);
    }
    return rows;
  }

  /** Random weights, one in seven of them 0. */
  private static INDArray randomMetric(long parameters) {
    double[] weights = Networks.gaussian(17, parameters).toDoubleVector();
    for (int p = 0; p < weights.length; p++) {
      weights[p] = p % 7 == 3 ? 0 : weights[p] * weights[p];
    }
    return Nd4j.createFromArray(weights);
  }

  /** Weights that are constant over each parameter array, as learning rates of layers are. */
  private static INDArray metricOfArrays(Model model) {
    INDArray weights = Nd4j.ones(DataType.DOUBLE, model.params().length());
    double weight = 0.5;
    for (INDArray array : model.paramTable().values()) {
      long from = array.offset() - model.params().offset();
      weights.get(NDArrayIndex.interval(from, from + array.length())).assign(weight);
      weight = weight > 2 ? 0 : weight + 0.75;
    }
    return weights;
  }

  /** Every other array in one group, as weights and biases; or any parameter in any of three. */
  private static List<INDArray> groupings(Model model) {
    INDArray byArray = Nd4j.zeros(DataType.DOUBLE, model.params().length());
    int number = 0;
    for (INDArray array : model.paramTable().values()) {
      long from = array.offset() - model.params().offset();
      byArray.get(NDArrayIndex.interval(from, from + array.length())).assign(number++ % 2);
    }
    double[] any = new double[(int) model.params().length()];
    for (int p = 0; p < any.length; p++) {
      any[p] = p * 7919 % 13 % 3;
    }
    return List.of(byArray, Nd4j.createFromArray(any));
  }

  /** In one sweep, with and without weights of the parameters. */
  @ParameterizedTest
  @MethodSource("cases")
  void theGroupsOfParametersAddUp(Case example) {
    Model model = example.model().apply(DataType.DOUBLE);
    double[][] jacobian = jacobian(example);
    INDArray random = randomMetric(model.params().length());
    try (NtkGram gram =
        NtkGram.builder(model).probe(example.data()).weighting(Weighting.PLAIN).build()) {
      for (INDArray groups : groupings(model)) {
        for (INDArray weights : new INDArray[] {null, random}) {
          NtkGramResult result = gram.compute(model.params(), weights, groups);
          for (int h = 0; h < result.groups().size(); h++) {
            INDArray members = groups.eq(h).castTo(DataType.DOUBLE);
            INDArray metric = weights == null ? members : members.mul(weights);
            double[][] expected = NaiveJacobian.gram(NaiveJacobian.weighted(jacobian, metric));
            double[][] found = result.groups().get(h).toArray();
            assertThat(Networks.distance(found, expected)).isLessThan(1e-9);
          }
          double[][] whole = gram.compute(model.params(), weights).gram().toArray();
          assertThat(Networks.distance(result.gram().toArray(), whole)).isLessThan(1e-12);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theMetricWeightsEveryParameter(Case example) {
    Model model = example.model().apply(DataType.DOUBLE);
    double[][] jacobian = jacobian(example);
    try (NtkGram gram =
        NtkGram.builder(model).probe(example.data()).weighting(Weighting.PLAIN).build()) {
      for (INDArray parameterWeights :
          List.of(randomMetric(model.params().length()), metricOfArrays(model))) {
        double[][] expected =
            NaiveJacobian.gram(NaiveJacobian.weighted(jacobian, parameterWeights));
        double[][] weighted = gram.compute(model.params(), parameterWeights).gram().toArray();
        assertThat(Networks.distance(weighted, expected)).isLessThan(1e-9);
        double[] v = Networks.gaussian(98, expected.length).toDoubleVector();
        double[] product = gram.operator(model.params(), parameterWeights).multiply(v);
        for (int r = 0; r < product.length; r++) {
          double sum = 0;
          double size = 0;
          for (int c = 0; c < v.length; c++) {
            sum += expected[r][c] * v[c];
            size += Math.abs(expected[r][c] * v[c]);
          }
          assertThat(product[r]).isCloseTo(sum, within(1e-8 * size + 1e-12));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theKernelIsThatOfTheNaiveJacobian(Case example) {
    double[][] gram =
        gram(example.model().apply(DataType.DOUBLE), example.data(), Weighting.PLAIN).toArray();
    assertThat(Networks.distance(gram, truth(example))).isLessThan(1e-9);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyMethodGivesTheSameKernelAndTheCheckSaysSo(Case example) {
    Model model = example.model().apply(DataType.DOUBLE);
    for (GramMethod method : GramMethod.values()) {
      try (NtkGram gram =
          NtkGram.builder(model)
              .probe(example.data())
              .weighting(Weighting.PLAIN)
              .method(method)
              .build()) {
        NtkGramResult result = gram.compute(model.params());
        assertThat(Networks.distance(result.gram().toArray(), truth(example)))
            .as("%s", method)
            .isLessThan(1e-9);
        GramCheck check = result.check();
        if (check.spotRows() == 0) {
          assertThat(check.assumptions()).anyMatch(line -> line.startsWith("no row was checked"));
        } else {
          assertThat(check.spotDeviation()).isLessThan(1e-12);
          assertThat(check.asymmetry()).isLessThan(1e-13);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void floatParametersGiveTheSameKernel(Case example) {
    MultiDataSet data = cast(example.data(), DataType.FLOAT);
    double[][] gram = gram(example.model().apply(DataType.FLOAT), data, Weighting.PLAIN).toArray();
    assertThat(Networks.distance(gram, truth(example))).isLessThan(1e-4);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theMeanSquaredLossWeightsTheKernelByTwoOverK(Case example) {
    Model model = example.model().apply(DataType.DOUBLE);
    double[][] plain = gram(model, example.data(), Weighting.PLAIN).toArray();
    double[][] weighted = gram(model, example.data(), Weighting.CURVATURE).toArray();
    double[] root = roots(example, plain.length);
    for (int r = 0; r < plain.length; r++) {
      for (int c = 0; c < plain.length; c++) {
        plain[r][c] *= root[r] * root[c];
      }
    }
    assertThat(Networks.distance(weighted, plain)).isLessThan(1e-13);
  }

  /** √(2/K) for each row. */
  private static double[] roots(Case example, int rows) {
    int examples = examples(example);
    double[] ofOne =
        Arrays.stream(example.data().getLabels())
            .flatMapToDouble(
                labels ->
                    DoubleStream.generate(() -> Math.sqrt(2.0 / labels.size(1)))
                        .limit(labels.length() / examples))
            .toArray();
    double[] root = new double[rows];
    for (int row = 0; row < rows; row++) {
      root[row] = ofOne[row % (rows / examples)];
    }
    return root;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void productsWithTheJacobianAreThoseOfTheNaiveOne(Case example) {
    double[][] jacobian = jacobian(example);
    double[] root = roots(example, jacobian.length);
    double[] v = Networks.gaussian(97, jacobian[0].length).toDoubleVector();
    double[] c = Networks.gaussian(96, jacobian.length).toDoubleVector();
    double[] image = new double[c.length];
    double[] gradient = new double[v.length];
    for (int r = 0; r < c.length; r++) {
      for (int p = 0; p < v.length; p++) {
        image[r] += root[r] * jacobian[r][p] * v[p];
        gradient[p] += root[r] * jacobian[r][p] * c[r];
      }
    }
    Model model = example.model().apply(DataType.FLOAT);
    INDArray parameters = example.model().apply(DataType.DOUBLE).params();
    try (OutputJacobian products = OutputJacobian.of(model, example.data())) {
      assertThat(distance(products.outputs(parameters, v), image)).isLessThan(1e-8);
      assertThat(distance(products.gradient(parameters, c), gradient)).isLessThan(1e-8);
    }
  }

  private static double distance(double[] actual, double[] expected) {
    double squares = 0;
    double size = 0;
    for (int i = 0; i < expected.length; i++) {
      squares += Math.pow(actual[i] - expected[i], 2);
      size += expected[i] * expected[i];
    }
    return Math.sqrt(squares / size);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void layersAddUpAndProductsAreThoseOfTheMatrix(Case example) {
    Model model = example.model().apply(DataType.DOUBLE);
    try (NtkGram gram = NtkGram.builder(model).probe(example.data()).layers(true).build()) {
      NtkGramResult result = gram.compute(model.params());
      double[][] whole = result.gram().toArray();
      double[][] sum = new double[whole.length][whole.length];
      for (GramMatrix layer : result.layers().values()) {
        for (int r = 0; r < sum.length; r++) {
          for (int c = 0; c < sum.length; c++) {
            sum[r][c] += layer.get(r, c);
          }
        }
      }
      assertThat(Networks.distance(sum, whole)).isLessThan(1e-13);
      NtkOperator operator = gram.operator(model.params());
      double[] v = Networks.gaussian(99, whole.length).toDoubleVector();
      double[] expected = new double[v.length];
      result.gram().multiply(v, expected);
      assertThat(operator.multiply(v))
          .containsExactly(expected, within(1e-11 * result.gram().trace()));
    }
  }

  /** J_Sᵀ u and J of that, from factors that were computed two examples at a time. */
  @ParameterizedTest
  @MethodSource("cases")
  void productsOfBatchesAreThoseOfTheMatrix(Case example) {
    Model model = example.model().apply(DataType.DOUBLE);
    INDArray random = randomMetric(model.params().length());
    for (INDArray weights : new INDArray[] {null, random, metricOfArrays(model)}) {
      for (long budget : new long[] {1L << 20, 1L << 40}) {
        try (NtkGram gram = NtkGram.builder(model).probe(example.data()).build();
            FactorSweep sweep = FactorSweep.of(model, example.data(), 2, budget, () -> false)) {
          NtkGramResult known = gram.compute(model.params(), weights);
          NtkFactors factors = sweep.compute(model.params(), weights);
          assertThat(factors.loss()).isCloseTo(known.fit().loss(), within(1e-12));
          assertThat(factors.outputs()).isEqualTo(known.gram().outputs());
          compare(known.gram(), factors);
        }
      }
    }
  }

  static void compare(GramMatrix gram, NtkFactors factors) {
    int outputs = gram.outputs();
    int last = gram.examples() - 1;
    int[] batch = {last, 0, last};
    double[] u = Networks.gaussian(5, 3L * outputs).toDoubleVector();
    double[] v = new double[gram.size()];
    for (int b = 0; b < batch.length; b++) {
      for (int k = 0; k < outputs; k++) {
        v[batch[b] * outputs + k] += u[b * outputs + k];
      }
    }
    double[] expected = new double[v.length];
    gram.multiply(v, expected);
    double[] z = new double[factors.dimension()];
    TangentOperator.Products products = factors.products(3);
    products.select(batch, 3);
    products.addGradient(u, z);
    double[] one = new double[outputs];
    double[] block = new double[outputs * outputs];
    for (int i = 0; i < gram.examples(); i++) {
      products.select(new int[] {i}, 1);
      products.block(block);
      for (int kl = 0; kl < block.length; kl++) {
        double entry = gram.get(i * outputs + kl / outputs, i * outputs + kl % outputs);
        assertThat(block[kl]).isCloseTo(entry, within(1e-11 * gram.trace() + 1e-300));
      }
      products.outputs(z, one);
      for (int k = 0; k < outputs; k++) {
        assertThat(one[k])
            .isCloseTo(expected[i * outputs + k], within(1e-11 * gram.trace() + 1e-300));
      }
    }
  }

  /** z ← z − (η/B) J_Sᵀ J_S z against r ← r − (η/B) G[:,S] r_S, r = J z. */
  @ParameterizedTest
  @MethodSource("cases")
  void fourHundredStepsAreThoseOfTheMatrix(Case example) {
    Model model = example.model().apply(DataType.DOUBLE);
    try (NtkGram ntk = NtkGram.builder(model).probe(example.data()).build();
        FactorSweep sweep = FactorSweep.of(model, example.data(), 2, 1L << 40, () -> false)) {
      GramMatrix gram = ntk.compute(model.params()).gram();
      NtkFactors factors = sweep.compute(model.params(), null);
      TangentGram products = new TangentGram(factors, 1, () -> false);
      double[] w = Networks.gaussian(95, gram.size()).toDoubleVector();
      double[] r = new double[w.length];
      gram.multiply(w, r);
      double[] z = products.gradient(w);
      // at most ten nats in 400 steps, so that what both forms put into kernels stays small
      double rate = 0.025 * gram.examples() / LargestEigenpair.of(gram).value();
      RandomStream random = new RandomStream(1);
      TangentOperator.Products selected = factors.products(1);
      double[] u = new double[gram.outputs()];
      int[] rows = new int[u.length];
      for (int s = 0; s < 400; s++) {
        int i = random.nextInt(gram.examples());
        selected.select(new int[] {i}, 1);
        selected.outputs(z, u);
        for (int k = 0; k < u.length; k++) {
          u[k] *= -rate;
        }
        selected.addGradient(u, z);
        for (int k = 0; k < u.length; k++) {
          rows[k] = i * u.length + k;
          u[k] = -rate * r[rows[k]];
        }
        gram.addColumns(rows, u, rows.length, r);
      }
      assertThat(distance(products.outputs(z), r)).isLessThan(1e-10);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theModelIsLeftAlone(Case example) {
    Model model = example.model().apply(DataType.DOUBLE);
    INDArray parameters = model.params().dup();
    String configuration = configuration(model);
    gram(model, example.data(), Weighting.CURVATURE);
    assertThat(model.params()).isEqualTo(parameters);
    assertThat(configuration(model)).isEqualTo(configuration);
  }

  private static String configuration(Model model) {
    return model instanceof org.deeplearning4j.nn.graph.ComputationGraph graph
        ? graph.getConfiguration().toJson()
        : ((org.deeplearning4j.nn.multilayer.MultiLayerNetwork) model)
            .getLayerWiseConfigurations()
            .toJson();
  }
}
