namespace LangTrain.Modeling.ChatTemplates.Jinja;

/// <summary>A part of a template that has a value.</summary>
internal abstract class Expression
{
    /// <exception cref="ChatTemplateException">It has none, or expressions are nested too deep.</exception>
    public object? Evaluate(Scope scope)
    {
        RenderLimits.Current.Visit();
        return Value(scope);
    }

    protected abstract object? Value(Scope scope);
}

/// <summary>A literal.</summary>
internal sealed class Constant(object? value) : Expression
{
    protected override object? Value(Scope scope) => value;
}

/// <summary>A variable.</summary>
internal sealed class NameExpression(string name) : Expression
{
    public string Name { get; } = name;

    protected override object? Value(Scope scope) => scope.Get(Name);
}

/// <summary><c>[a, b]</c> or <c>(a, b)</c></summary>
internal sealed class ListExpression(IReadOnlyList<Expression> items, SequenceKind kind) : Expression
{
    public IReadOnlyList<Expression> Items { get; } = items;

    protected override object? Value(Scope scope) => new PythonList(Items.Select(item => item.Evaluate(scope)).ToList(), kind);
}

/// <summary><c>{a: b}</c></summary>
internal sealed class DictExpression(IReadOnlyList<(Expression Key, Expression Value)> entries) : Expression
{
    protected override object? Value(Scope scope)
    {
        var dict = new PythonDict();
        foreach (var (key, value) in entries) dict[key.Evaluate(scope)] = value.Evaluate(scope);
        return dict;
    }
}

/// <summary><c>a if b else c</c></summary>
internal sealed class ConditionalExpression(Expression test, Expression then, Expression? otherwise) : Expression
{
    protected override object? Value(Scope scope) => PythonValue.IsTrue(test.Evaluate(scope)) ? then.Evaluate(scope)
        : otherwise is null ? new Undefined("the inline if-expression evaluated to false and no else section was defined.") : otherwise.Evaluate(scope);
}

/// <summary><c>a and b</c>, <c>a or b</c>: the value that decided.</summary>
internal sealed class LogicalExpression(Expression left, Expression right, bool isAnd) : Expression
{
    protected override object? Value(Scope scope)
    {
        var value = left.Evaluate(scope);
        return PythonValue.IsTrue(value) == isAnd ? right.Evaluate(scope) : value;
    }
}

/// <summary><c>not a</c>, <c>-a</c>, <c>+a</c></summary>
internal sealed class UnaryExpression(string operation, Expression operand) : Expression
{
    protected override object? Value(Scope scope)
    {
        var value = operand.Evaluate(scope);
        return operation == "not" ? !PythonValue.IsTrue(value) : PythonNumber.Unary(operation, value);
    }
}

/// <summary><c>a + b</c> and its like.</summary>
internal sealed class BinaryExpression(string operation, Expression left, Expression right) : Expression
{
    protected override object? Value(Scope scope) => PythonNumber.Binary(operation, left.Evaluate(scope), right.Evaluate(scope));
}

/// <summary><c>a ~ b ~ c</c></summary>
internal sealed class ConcatExpression(IReadOnlyList<Expression> parts) : Expression
{
    protected override object? Value(Scope scope)
    {
        var text = string.Concat(parts.Select(part => PythonValue.Text(part.Evaluate(scope))));
        RenderLimits.Current.Take(text.Length);
        return text;
    }
}

/// <summary><c>a &lt; b == c</c>: each neighbouring pair has to hold.</summary>
internal sealed class CompareExpression(Expression first, IReadOnlyList<(string Operation, Expression Operand)> others) : Expression
{
    protected override object? Value(Scope scope)
    {
        var left = first.Evaluate(scope);
        foreach (var (operation, operand) in others)
        {
            var right = operand.Evaluate(scope);
            if (!Holds(operation, left, right)) return false;
            left = right;
        }
        return true;
    }

    public static bool Holds(string operation, object? left, object? right) => operation switch
    {
        "==" => PythonValue.AreEqual(left, right),
        "!=" => !PythonValue.AreEqual(left, right),
        "in" => PythonValue.Contains(right, left),
        "not in" => !PythonValue.Contains(right, left),
        "<" => PythonValue.Compare(left, right, operation) < 0,
        "<=" => PythonValue.Compare(left, right, operation) <= 0,
        ">" => PythonValue.Compare(left, right, operation) > 0,
        _ => PythonValue.Compare(left, right, operation) >= 0,
    };
}

/// <summary><c>a.b</c>: an attribute, or else an entry.</summary>
internal sealed class AttributeExpression(Expression operand, string name) : Expression
{
    protected override object? Value(Scope scope) => PythonValue.Attribute(operand.Evaluate(scope), name);
}

/// <summary><c>a[b]</c>: an entry, or else an attribute.</summary>
internal sealed class ItemExpression(Expression operand, Expression key) : Expression
{
    protected override object? Value(Scope scope) => PythonValue.Item(operand.Evaluate(scope), key.Evaluate(scope));
}

/// <summary><c>a[b:c:d]</c></summary>
internal sealed class SliceExpression(Expression operand, Expression? start, Expression? stop, Expression? step) : Expression
{
    protected override object? Value(Scope scope)
    {
        var value = operand.Evaluate(scope);
        return PythonValue.Slice(value, Bound(start, scope), Bound(stop, scope), Bound(step, scope));
    }

    private static long? Bound(Expression? bound, Scope scope) => bound?.Evaluate(scope) switch
    {
        null => null,
        long number => number,
        bool flag => flag ? 1 : 0,
        _ => throw new ChatTemplateException("slice indices must be integers or None or have an __index__ method"),
    };
}

/// <summary>The arguments of a call as they are written.</summary>
/// <param name="Positional">Each with whether it is <c>*list</c>.</param>
/// <param name="Named">Each with its name; an empty name is <c>**dict</c>.</param>
internal sealed record ArgumentList(IReadOnlyList<(Expression Value, bool IsSpread)> Positional, IReadOnlyList<(string Name, Expression Value)> Named)
{
    public static readonly ArgumentList Empty = new([], []);

    public JinjaArguments Evaluate(Scope scope, params ReadOnlySpan<KeyValuePair<string, object?>> more)
    {
        var positional = new List<object?>();
        foreach (var (value, isSpread) in Positional)
        {
            if (isSpread) positional.AddRange(PythonValue.Iterate(value.Evaluate(scope)));
            else positional.Add(value.Evaluate(scope));
        }
        var named = new List<KeyValuePair<string, object?>>();
        foreach (var (name, value) in Named)
        {
            if (name.Length > 0) named.Add(KeyValuePair.Create(name, value.Evaluate(scope)));
            else if (value.Evaluate(scope) is PythonDict dict) named.AddRange(dict.Entries.Select(entry => KeyValuePair.Create(PythonValue.Text(entry.Key), entry.Value)));
            else throw new ChatTemplateException("argument after ** must be a mapping");
        }
        named.AddRange(more);
        return new JinjaArguments(positional, named);
    }
}

/// <summary><c>a(b)</c></summary>
internal sealed class CallExpression(Expression callee, ArgumentList arguments) : Expression
{
    protected override object? Value(Scope scope) => Evaluate(scope, []);

    /// <param name="scope">Where it stands.</param>
    /// <param name="more">Arguments besides those that are written.</param>
    public object? Evaluate(Scope scope, params ReadOnlySpan<KeyValuePair<string, object?>> more)
    {
        RenderLimits.Current.Step();
        return callee.Evaluate(scope) switch
        {
            JinjaFunction function => function.Call(arguments.Evaluate(scope, more)),
            LoopVariable loop => loop.AsFunction().Call(arguments.Evaluate(scope, more)),
            Undefined missing => throw missing.Error(),
            var other => throw new ChatTemplateException($"'{PythonValue.TypeName(other)}' object is not callable"),
        };
    }
}

/// <summary><c>a | b(c)</c></summary>
internal sealed class FilterExpression(Expression operand, string name, ArgumentList arguments) : Expression
{
    protected override object? Value(Scope scope)
    {
        RenderLimits.Current.Step();
        return JinjaFilters.Apply(name, operand.Evaluate(scope), arguments.Evaluate(scope));
    }
}

/// <summary><c>a is b(c)</c></summary>
internal sealed class TestExpression(Expression operand, string name, ArgumentList arguments) : Expression
{
    protected override object? Value(Scope scope) => JinjaTests.Holds(name, operand.Evaluate(scope), arguments.Evaluate(scope));
}

/// <summary>What a value is assigned to: a name, several, or an attribute of a namespace.</summary>
internal abstract class Target
{
    public abstract void Assign(Scope scope, object? value);
}

/// <summary><c>a</c></summary>
internal sealed class NameTarget(string name) : Target
{
    public override void Assign(Scope scope, object? value) => scope.Set(name, value);
}

/// <summary><c>a, b</c></summary>
internal sealed class TupleTarget(IReadOnlyList<Target> targets) : Target
{
    public override void Assign(Scope scope, object? value)
    {
        if (value is Undefined or null or bool or long or double) throw new ChatTemplateException($"cannot unpack non-iterable {PythonValue.TypeName(value)} object");
        var items = PythonValue.Iterate(value).ToList();
        if (items.Count != targets.Count) throw new ChatTemplateException(items.Count > targets.Count ? $"too many values to unpack (expected {targets.Count})" : $"not enough values to unpack (expected {targets.Count}, got {items.Count})");
        for (var i = 0; i < items.Count; i++) targets[i].Assign(scope, items[i]);
    }
}

/// <summary><c>a.b</c></summary>
internal sealed class NamespaceTarget(string name, string attribute) : Target
{
    public override void Assign(Scope scope, object? value)
    {
        if (scope.Get(name) is not PythonNamespace space) throw new ChatTemplateException("cannot assign attribute on non-namespace object");
        space.Attributes[attribute] = value;
    }
}
