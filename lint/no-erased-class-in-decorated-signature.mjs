import ts from 'typescript';

/**
 * @typedef {import('@typescript-eslint/utils').TSESTree.Node} Node
 * @typedef {import('@typescript-eslint/utils').TSESTree.Identifier} Identifier
 * @typedef {import('@typescript-eslint/utils').TSESTree.MethodDefinition} MethodDefinition
 * @typedef {import('@typescript-eslint/utils').TSESTree.PropertyDefinition} PropertyDefinition
 * @typedef {import('@typescript-eslint/utils').TSESLint.SourceCode} SourceCode
 * @typedef {import('@typescript-eslint/utils').ParserServicesWithTypeInformation} Types
 */

/**
 * The names in a type of which the compiler writes metadata: `Name`, and `Name | null`.
 * @param {Node | undefined | null} annotation
 * @returns {Identifier[]}
 */
function namesIn(annotation) {
  if (annotation?.type === 'TSTypeAnnotation') return namesIn(annotation.typeAnnotation);
  if (annotation?.type === 'TSUnionType') return annotation.types.flatMap(namesIn);
  if (annotation?.type !== 'TSTypeReference' || annotation.typeName.type !== 'Identifier') return [];
  return [annotation.typeName];
}

/** @param {Node} parameter @returns {Identifier[]} */
function namesInParameter(parameter) {
  if (parameter.type === 'TSParameterProperty') return namesInParameter(parameter.parameter);
  if (parameter.type === 'AssignmentPattern') return namesInParameter(parameter.left);
  return 'typeAnnotation' in parameter ? namesIn(parameter.typeAnnotation) : [];
}

/** @param {Node} node */
function isDecorated(node) {
  return 'decorators' in node && node.decorators.length > 0;
}

/** @param {SourceCode} source @param {Identifier} name */
function isImportedAsType(source, name) {
  /** @type {import('@typescript-eslint/utils').TSESLint.Scope.Scope | null} */
  let scope = source.getScope(name);
  while (scope && !scope.set.has(name.name)) scope = scope.upper;
  const definition = scope?.set.get(name.name)?.defs[0];
  return [definition?.node, definition?.parent].some(
    (part) => part && 'importKind' in part && part.importKind === 'type',
  );
}

/** @param {Types} types @param {Identifier} name */
function isClass(types, name) {
  const symbol = types.getSymbolAtLocation(name);
  if (!symbol) return false;
  const alias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
  const target = alias ? types.program.getTypeChecker().getAliasedSymbol(symbol) : symbol;
  return (target.flags & ts.SymbolFlags.Class) !== 0;
}

/** @param {MethodDefinition} method */
function namesInMethod(method) {
  const { params } = method.value;
  const owner = method.kind === 'constructor' ? method.parent.parent : method;
  return [owner, ...params].some(isDecorated) ? params.flatMap(namesInParameter) : [];
}

/** @param {PropertyDefinition} property */
function namesInProperty(property) {
  return isDecorated(property) ? namesIn(property.typeAnnotation) : [];
}

/**
 * `import type` of a class leaves `Object` in the metadata of a decorated signature: Nest then injects nothing, and
 * a request body is not validated at all, without a word from the compiler.
 * @type {import('eslint').Rule.RuleModule}
 */
export const noErasedClassInDecoratedSignature = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      erased:
        '{{name}} is a class, but `import type` erases it: Nest would see Object here. Import it as a value.',
    },
  },
  create(context) {
    // ESLint's own types know nothing of TypeScript's syntax tree.
    const source = /** @type {SourceCode} */ (/** @type {unknown} */ (context.sourceCode));
    const types = /** @type {Types} */ (source.parserServices);

    /** @param {Identifier[]} names */
    function check(names) {
      for (const name of names) {
        if (!isImportedAsType(source, name) || !isClass(types, name)) continue;
        context.report({ loc: name.loc, messageId: 'erased', data: { name: name.name } });
      }
    }

    return {
      MethodDefinition: (node) => check(namesInMethod(/** @type {MethodDefinition} */ (node))),
      PropertyDefinition: (node) => check(namesInProperty(/** @type {PropertyDefinition} */ (node))),
    };
  },
};
