// SPDX-License-Identifier: Apache-2.0
/**
 * What a Gram matrix and a step mean for stability: certificates, margins, critical learning rates,
 * the verdict.
 */
package org.lyapunov4j.stability;
