using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace LangTrain.Modeling.ChatTemplates.Jinja;

/// <summary>Tokens to expressions, by Jinja's precedence: condition, or, and, not, comparison, sum, <c>~</c>, product, power, sign, then calls, attributes, filters and tests.</summary>
internal sealed class ExpressionParser(JinjaTokens tokens)
{
    /// <summary>The names of all variables that were read since this was set.</summary>
    public HashSet<string> Names { get; set; } = [];

    public static bool IsConstant(string name) => name is "true" or "false" or "none" or "True" or "False" or "None";

    public Expression Expression()
    {
        // Every nesting goes through here.
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw tokens.Error("the expression is nested too deep");
        var value = Or();
        while (TakeName("if"))
        {
            var test = Or();
            value = new ConditionalExpression(test, value, TakeName("else") ? Expression() : null);
        }
        return value;
    }

    /// <summary>An expression, or several with commas between them, which are a tuple.</summary>
    /// <param name="isWholeExpression">Whether a condition (<c>a if b else c</c>) can stand there; in a <c>for</c> the <c>if</c> is the loop's.</param>
    /// <param name="end">A name that ends the tuple.</param>
    /// <param name="isInParentheses">Whether it may be empty.</param>
    public Expression Tuple(bool isWholeExpression = true, string? end = null, bool isInParentheses = false)
    {
        var items = new List<Expression>();
        var isTuple = false;
        while (true)
        {
            if (items.Count > 0) tokens.Expect(TokenKind.Operator, ",");
            if (tokens.Current.Kind is TokenKind.VariableEnd or TokenKind.BlockEnd || IsOperator(")") || (end is not null && tokens.Is(TokenKind.Name, end))) break;
            items.Add(isWholeExpression ? Expression() : Or());
            if (!IsOperator(",")) break;
            isTuple = true;
        }
        if (!isTuple && items.Count == 1) return items[0];
        if (!isTuple && !isInParentheses) throw tokens.Error("Expected an expression");
        return new ListExpression(items, SequenceKind.Tuple);
    }

    /// <summary>Filters without their operand: <c>upper | trim</c>.</summary>
    /// <param name="startsInline">Whether the first has no <c>|</c> before it.</param>
    public Func<Expression, Expression> Filters(bool startsInline)
    {
        var filters = new List<(string Name, ArgumentList Arguments)>();
        while (startsInline || TakeOperator("|"))
        {
            startsInline = false;
            filters.Add((DottedName(), IsOperator("(") ? Arguments() : ArgumentList.Empty));
        }
        return operand => filters.Aggregate(operand, (value, filter) => new FilterExpression(value, filter.Name, filter.Arguments));
    }

    private Expression Or()
    {
        var left = And();
        while (TakeName("or")) left = new LogicalExpression(left, And(), isAnd: false);
        return left;
    }

    private Expression And()
    {
        var left = Not();
        while (TakeName("and")) left = new LogicalExpression(left, Not(), isAnd: true);
        return left;
    }

    private Expression Not()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw tokens.Error("the expression is nested too deep");
        return TakeName("not") ? new UnaryExpression("not", Not()) : Compare();
    }

    private Expression Compare()
    {
        var first = Sum();
        var others = new List<(string, Expression)>();
        while (true)
        {
            if (tokens.Current is { Kind: TokenKind.Operator, Value: "==" or "!=" or "<" or "<=" or ">" or ">=" }) others.Add((tokens.Next().Value, Sum()));
            else if (TakeName("in")) others.Add(("in", Sum()));
            else if (tokens.Is(TokenKind.Name, "not") && tokens.Following is { Kind: TokenKind.Name, Value: "in" })
            {
                tokens.Next();
                tokens.Next();
                others.Add(("not in", Sum()));
            }
            else return others.Count == 0 ? first : new CompareExpression(first, others);
        }
    }

    private Expression Sum()
    {
        var left = Concat();
        while (tokens.Current is { Kind: TokenKind.Operator, Value: "+" or "-" }) left = new BinaryExpression(tokens.Next().Value, left, Concat());
        return left;
    }

    private Expression Concat()
    {
        var parts = new List<Expression> { Product() };
        while (TakeOperator("~")) parts.Add(Product());
        return parts.Count == 1 ? parts[0] : new ConcatExpression(parts);
    }

    private Expression Product()
    {
        var left = Power();
        while (tokens.Current is { Kind: TokenKind.Operator, Value: "*" or "/" or "//" or "%" }) left = new BinaryExpression(tokens.Next().Value, left, Power());
        return left;
    }

    private Expression Power()
    {
        var left = Unary(withFilters: true);
        while (TakeOperator("**")) left = new BinaryExpression("**", left, Unary(withFilters: true));
        return left;
    }

    private Expression Unary(bool withFilters)
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw tokens.Error("the expression is nested too deep");
        var value = tokens.Current is { Kind: TokenKind.Operator, Value: "-" or "+" } ? new UnaryExpression(tokens.Next().Value, Unary(withFilters: false)) : Postfix(Primary());
        return withFilters ? FiltersAndTests(value) : value;
    }

    private Expression Primary()
    {
        var token = tokens.Next();
        switch (token.Kind)
        {
            case TokenKind.Name:
                if (IsConstant(token.Value)) return new Constant(token.Value is "true" or "True" ? true : token.Value is "false" or "False" ? false : null);
                Names.Add(token.Value);
                return new NameExpression(token.Value);
            case TokenKind.Text:
                var text = new StringBuilder(token.Value);
                while (tokens.Current.Kind == TokenKind.Text) text.Append(tokens.Next().Value);
                return new Constant(text.ToString());
            case TokenKind.Integer:
                return Integer(token);
            case TokenKind.Float:
                return new Constant(double.Parse(token.Value, CultureInfo.InvariantCulture));
            case TokenKind.Operator when token.Value == "(":
                var tuple = Tuple(isInParentheses: true);
                tokens.Expect(TokenKind.Operator, ")");
                return tuple;
            case TokenKind.Operator when token.Value == "[":
                return new ListExpression(Items("]", Expression), SequenceKind.List);
            case TokenKind.Operator when token.Value == "{":
                return new DictExpression(Items("}", Entry));
            default:
                throw tokens.Error($"unexpected '{(token.Value.Length > 0 ? token.Value : token.Kind.ToString())}'");
        }
    }

    private Constant Integer(JinjaToken token) =>
        new(long.TryParse(token.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var integer) ? integer : throw tokens.Error($"the number {token.Value} is too large"));

    private (Expression, Expression) Entry()
    {
        var key = Expression();
        tokens.Expect(TokenKind.Operator, ":");
        return (key, Expression());
    }

    private List<T> Items<T>(string end, Func<T> read)
    {
        var items = new List<T>();
        while (!TakeOperator(end))
        {
            if (items.Count > 0)
            {
                tokens.Expect(TokenKind.Operator, ",");
                if (TakeOperator(end)) break;
            }
            items.Add(read());
        }
        return items;
    }

    private Expression Postfix(Expression value)
    {
        while (true)
        {
            if (TakeOperator(".")) value = Attribute(value);
            else if (TakeOperator("[")) value = Subscript(value);
            else if (IsOperator("(")) value = new CallExpression(value, Arguments());
            else return value;
        }
    }

    private Expression Attribute(Expression value)
    {
        var token = tokens.Next();
        return token.Kind switch
        {
            TokenKind.Name => new AttributeExpression(value, token.Value),
            TokenKind.Integer => new ItemExpression(value, Integer(token)),
            _ => throw tokens.Error("expected name or number"),
        };
    }

    private Expression Subscript(Expression value)
    {
        Expression? Bound() => IsOperator(":") || IsOperator("]") ? null : Expression();
        var first = Bound();
        if (TakeOperator(":"))
        {
            var stop = Bound();
            var step = TakeOperator(":") ? Bound() : null;
            tokens.Expect(TokenKind.Operator, "]");
            return new SliceExpression(value, first, stop, step);
        }
        if (first is null) throw tokens.Error("Expected an expression");
        if (!IsOperator(",")) tokens.Expect(TokenKind.Operator, "]");
        else
        {
            tokens.Next();
            first = new ListExpression([first, .. Items("]", Expression)], SequenceKind.Tuple);
        }
        return new ItemExpression(value, first);
    }

    private Expression FiltersAndTests(Expression value)
    {
        while (true)
        {
            if (IsOperator("|")) value = Filters(startsInline: false)(value);
            else if (TakeName("is")) value = Test(value);
            else if (IsOperator("(")) value = new CallExpression(value, Arguments());
            else return value;
        }
    }

    private Expression Test(Expression value)
    {
        var isNegated = TakeName("not");
        var name = DottedName();
        var arguments = ArgumentList.Empty;
        if (IsOperator("(")) arguments = Arguments();
        else if (tokens.Current is { Kind: TokenKind.Name or TokenKind.Text or TokenKind.Integer or TokenKind.Float } or { Kind: TokenKind.Operator, Value: "[" or "{" }
            && !(tokens.Current is { Kind: TokenKind.Name, Value: "else" or "or" or "and" }))
        {
            if (tokens.Is(TokenKind.Name, "is")) throw tokens.Error("You cannot chain multiple tests with is");
            arguments = new ArgumentList([(Postfix(Primary()), false)], []);
        }
        var test = new TestExpression(value, name, arguments);
        return isNegated ? new UnaryExpression("not", test) : test;
    }

    private string DottedName()
    {
        var name = new StringBuilder(tokens.Expect(TokenKind.Name).Value);
        while (TakeOperator(".")) name.Append('.').Append(tokens.Expect(TokenKind.Name).Value);
        return name.ToString();
    }

    private ArgumentList Arguments()
    {
        tokens.Expect(TokenKind.Operator, "(");
        List<(Expression, bool)> positional = [];
        List<(string, Expression)> named = [];
        while (!TakeOperator(")"))
        {
            if (positional.Count + named.Count > 0)
            {
                tokens.Expect(TokenKind.Operator, ",");
                if (TakeOperator(")")) break;
            }
            if (TakeOperator("*")) positional.Add((Expression(), true));
            else if (TakeOperator("**")) named.Add(("", Expression()));
            else if (tokens.Current.Kind == TokenKind.Name && tokens.Following is { Kind: TokenKind.Operator, Value: "=" })
            {
                var name = tokens.Next().Value;
                tokens.Next();
                named.Add((name, Expression()));
            }
            else if (named.Count > 0) throw tokens.Error("invalid syntax for function call expression");
            else positional.Add((Expression(), false));
        }
        return new ArgumentList(positional, named);
    }

    private bool IsOperator(string value) => tokens.Is(TokenKind.Operator, value);

    private bool TakeOperator(string value) => tokens.TryTake(TokenKind.Operator, value);

    private bool TakeName(string value) => tokens.TryTake(TokenKind.Name, value);
}
