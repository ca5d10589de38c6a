"""Writes templates/jinja.json beside this file: templates in the manner of published models, and statements and expressions of Jinja, with what Hugging Face transformers renders of them.

python3 make_jinja_cases.py templates/jinja.json   (made with transformers 5.12.1, Jinja2 3.1.6)

Expressions are drawn from a small grammar with a fixed seed; what prints an address of memory is left out. Now is 2026-07-04 15:06:07.
"""
import datetime, json, random, re, sys, warnings

warnings.filterwarnings("ignore")
import transformers.utils.chat_template_utils as U


class FixedTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 7, 4, 15, 6, 7)


U.datetime = FixedTime
T = {}
T["zephyr"] = "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"
T["llama2"] = "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
T["llama3"] = "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
T["llama32"] = r'''{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not tools_in_user_message is defined %}
    {%- set tools_in_user_message = true %}
{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}

{#- This block extracts the system message, so we can slot it into the right place. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}

{#- System message #}
{{- "<|start_header_id|>system<|end_header_id|>\n\n" }}
{%- if tools is not none %}
    {{- "Environment: ipython\n" }}
{%- endif %}
{{- "Cutting Knowledge Date: December 2023\n" }}
{{- "Today Date: " + date_string + "\n\n" }}
{%- if tools is not none and not tools_in_user_message %}
    {{- "You have access to the following functions. To call a function, please respond with JSON for a function call." }}
    {{- 'Respond in the format {"name": function name, "parameters": dictionary of argument name and its value}.' }}
    {{- "Do not use variables.\n\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\n\n" }}
    {%- endfor %}
{%- endif %}
{{- system_message }}
{{- "<|eot_id|>" }}

{#- Custom tools are passed in a user message with some extra guidance #}
{%- if tools_in_user_message and not tools is none %}
    {#- Extract the first user message so we can plug it in here #}
    {%- if messages | length != 0 %}
        {%- set first_user_message = messages[0]['content']|trim %}
        {%- set messages = messages[1:] %}
    {%- else %}
        {{- raise_exception("Cannot put tools in the first user message when there's no first user message!") }}
{%- endif %}
    {{- '<|start_header_id|>user<|end_header_id|>\n\n' -}}
    {{- "Given the following functions, please respond with a JSON for a function call " }}
    {{- "with its proper arguments that best answers the given prompt.\n\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\n\n" }}
    {%- endfor %}
    {{- first_user_message + "<|eot_id|>"}}
{%- endif %}

{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("This model only supports single tool-calls at once!") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' -}}
        {{- '{"name": "' + tool_call.name + '", ' }}
        {{- '"parameters": ' }}
        {{- tool_call.arguments | tojson }}
        {{- "}" }}
        {{- "<|eot_id|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\n\n" }}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif %}
'''
T["mistral1"] = "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
T["mistral3"] = r'''{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}

{#- This block checks for alternating user/assistant messages, skipping tool calling messages #}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("After the optional system message, conversation roles must alternate user/assistant/user/assistant/...") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}

{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS] [" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}
                        {{- ", " }}
                    {%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}
                    {{- ", " }}
                {%- else %}
                    {{- "]" }}
                {%- endif %}
            {%- endfor %}
            {{- "[/AVAILABLE_TOOLS]" }}
            {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\n\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- "[TOOL_CALLS] [" }}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function|tojson %}
            {{- out[:-1] }}
            {%- if not tool_call.id is defined or tool_call.id|length != 9 %}
                {{- raise_exception("Tool call IDs should be alphanumeric strings with length 9!") }}
            {%- endif %}
            {{- ', "id": "' + tool_call.id + '"}' }}
            {%- if not loop.last %}
                {{- ", " }}
            {%- else %}
                {{- "]" + eos_token }}
            {%- endif %}
        {%- endfor %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- elif message["role"] == "tool_results" or message["role"] == "tool" %}
        {%- if message.content is defined and message.content.content is defined %}
            {%- set content = message.content.content %}
        {%- else %}
            {%- set content = message.content %}
        {%- endif %}
        {{- '[TOOL_RESULTS] {"content": ' + content|string + ", " }}
        {%- if not message.tool_call_id is defined or message.tool_call_id|length != 9 %}
            {{- raise_exception("Tool call IDs should be alphanumeric strings with length 9!") }}
        {%- endif %}
        {{- '"call_id": "' + message.tool_call_id + '"}[/TOOL_RESULTS]' }}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported, with the exception of an initial optional system message!") }}
    {%- endif %}
{%- endfor %}
'''
T["gemma2"] = "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
T["phi3"] = "{% for message in messages %}{% if message['role'] == 'system' %}{{'<|system|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'assistant' %}{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"
T["phi4mini"] = "{% for message in messages %}{% if message['role'] == 'system' and 'tools' in message and message['tools'] is not none %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|tool|>' + message['tools'] + '<|/tool|>' + '<|end|>' }}{% else %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}{{ eos_token }}{% endif %}"
T["phi4"] = "{% for message in messages %}{% if (message['role'] == 'system') %}{{'<|im_start|>system<|im_sep|>' + message['content'] + '<|im_end|>'}}{% elif (message['role'] == 'user') %}{{'<|im_start|>user<|im_sep|>' + message['content'] + '<|im_end|>'}}{% elif (message['role'] == 'assistant') %}{{'<|im_start|>assistant<|im_sep|>' + message['content'] + '<|im_end|>'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant<|im_sep|>' }}{% endif %}"
T["hermes"] = r'''{%- macro json_to_python_type(json_spec) %}
{%- set basic_type_map = {
    "string": "str",
    "number": "float",
    "integer": "int",
    "boolean": "bool"
} %}

{%- if basic_type_map[json_spec.type] is defined %}
    {{- basic_type_map[json_spec.type] }}
{%- elif json_spec.type == "array" %}
    {{- "list[" +  json_to_python_type(json_spec|items) + "]"}}
{%- elif json_spec.type == "object" %}
    {%- if json_spec.additionalProperties is defined %}
        {{- "dict[str, " + json_to_python_type(json_spec.additionalProperties) + ']'}}
    {%- else %}
        {{- "dict" }}
    {%- endif %}
{%- elif json_spec.type is iterable %}
    {{- "Union[" }}
    {%- for t in json_spec.type %}
      {{- json_to_python_type({"type": t}) }}
      {%- if not loop.last %}
        {{- "," }}
    {%- endif %}
    {%- endfor %}
    {{- "]" }}
{%- else %}
    {{- "Any" }}
{%- endif %}
{%- endmacro %}


{{- bos_token }}
{{- '<|im_start|>system\n' }}
{{- "You are a function calling AI model. Here are the available tools: <tools> " }}
{%- for tool in tools or [] %}
    {%- if tool.function is defined %}
        {%- set tool = tool.function %}
    {%- endif %}
    {{- '{"type": "function", "function": ' }}
    {{- '{"name": "' + tool.name + '", ' }}
    {{- '"description": "' + tool.name + '(' }}
    {%- for param_name, param_fields in tool.parameters.properties|items %}
        {{- param_name + ": " + json_to_python_type(param_fields) }}
        {%- if not loop.last %}
            {{- ", " }}
        {%- endif %}
    {%- endfor %}
    {{- ")" }}
    {%- if tool.return is defined %}
        {{- " -> " + json_to_python_type(tool.return) }}
    {%- endif %}
    {{- " - " + tool.description + "\n\n" }}
    {%- for param_name, param_fields in tool.parameters.properties|items %}
        {%- if loop.first %}
            {{- "    Args:\n" }}
        {%- endif %}
        {{- "        " + param_name + "(" + json_to_python_type(param_fields) + "): " + (param_fields.description|default('-'))|trim }}
    {%- endfor %}
    {{- '", "parameters": ' }}
    {%- if tool.parameters.properties | length == 0 %}
        {{- "{}" }}
    {%- else %}
        {{- tool.parameters|tojson }}
    {%- endif %}
    {{- "}" }}
    {%- if not loop.last %}
        {{- "\n" }}
    {%- endif %}
{%- endfor %}
{{- " </tools>" }}
{{- '<|im_end|>\n' }}
{%- for message in messages %}
    {%- if message.role == "user" or message.role == "system" or (message.role == "assistant" and message.tool_calls is not defined) %}
        {{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
    {%- for tool_call in message.tool_calls %}
       {{- '\n<tool_call>\n' }}           {%- if tool_call.function is defined %}
            {%- set tool_call = tool_call.function %}
        {%- endif %}
        {{- '{' }}
        {{- '"name": "' }}
        {{- tool_call.name }}
        {{- '"' }}
        {{- ', '}}
        {%- if tool_call.arguments is defined %}
            {{- '"arguments": ' }}
            {%- if tool_call.arguments is string %}
                {{- tool_call.arguments }}
            {%- else %}
                {{- tool_call.arguments|tojson }}
            {%- endif %}
        {%- endif %}
         {{- '}' }}
            {{- '\n</tool_call>' }}
    {%- endfor %}
        {{- '<|im_end|>\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.previtem and loop.previtem.role != "tool" %}
            {{- '<|im_start|>tool\n' }}
        {%- endif %}
        {{- '<tool_response>\n' }}
        {{- message.content }}
        {%- if not loop.last %}
            {{- '\n</tool_response>\n' }}
        {%- else %}
            {{- '\n</tool_response>' }}
        {%- endif %}
        {%- if not loop.last and loop.nextitem.role != "tool" %}
            {{- '<|im_end|>' }}
        {%- elif loop.last %}
            {{- '<|im_end|>' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
{%- endif %}
'''
T["granite"] = r'''{%- if messages[0]['role'] == 'system' %}
{%- set system_message = messages[0]['content'] %}
{%- set loop_messages = messages[1:] %}
{%- else %}
{%- set system_message = "Knowledge Cutoff Date: April 2024.\nToday's Date: " + strftime_now('%B %d, %Y') + ".\nYou are Granite, developed by IBM." %}
{%- if tools and documents %}
{%- set system_message = system_message + " You are a helpful AI assistant with access to the following tools." %}
{%- elif tools %}
{%- set system_message = system_message + " Tools:" %}
{%- elif documents %}
{%- set system_message = system_message + " Write the response using documents." %}
{%- elif thinking %}
{%- set system_message = system_message + " Think." %}
{%- else %}
{%- set system_message = system_message + " You are a helpful AI assistant." %}
{%- endif %}
{%- if 'citations' in controls and documents %}
{%- set system_message = system_message + ' Use the symbols <co> and </co>.' %}
{%- endif %}
{%- set loop_messages = messages %}
{%- endif %}
{{- '<|start_of_role|>system<|end_of_role|>' + system_message + '<|end_of_text|>\n' }}
{%- if tools %}
{{- '<|start_of_role|>tools<|end_of_role|>' }}
{{- tools | tojson(indent=4) }}
{{- '<|end_of_text|>\n' }}
{%- endif %}
{%- if documents %}
{{- '<|start_of_role|>documents<|end_of_role|>' }}
{%- for document in documents %}
{{- 'Document ' + loop.index0 | string + '\n' }}
{{- document['text'] }}
{%- if not loop.last %}
{{- '\n\n'}}
{%- endif%}
{%- endfor %}
{{- '<|end_of_text|>\n' }}
{%- endif %}
{%- for message in loop_messages %}
{{- '<|start_of_role|>' + message['role'] + '<|end_of_role|>' + message['content'] + '<|end_of_text|>\n' }}
{%- if loop.last and add_generation_prompt %}
{{- '<|start_of_role|>assistant' }}
{%- if controls %}
{{- ' ' + controls | tojson()}}
{%- endif %}
{{- '<|end_of_role|>' }}
{%- endif %}
{%- endfor %}'''
T["commandr"] = r'''{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% elif false == true %}{% set loop_messages = messages %}{% set system_message = 'You are Command-R' %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% if system_message != false %}{{ '<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>' + system_message + '<|END_OF_TURN_TOKEN|>' }}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% set content = message['content'] %}{% if message['role'] == 'user' %}{{ '<|START_OF_TURN_TOKEN|><|USER_TOKEN|>' + content.strip() + '<|END_OF_TURN_TOKEN|>' }}{% elif message['role'] == 'assistant' %}{{ '<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>'  + content.strip() + '<|END_OF_TURN_TOKEN|>' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>' }}{% endif %}'''
T["commandr_tools"] = r'''{%- macro json_to_python_type(json_spec) %}{%- set basic_type_map = {"string": "str", "number": "float", "integer": "int", "boolean": "bool"} %}{%- if basic_type_map[json_spec.type] is defined %}{{- basic_type_map[json_spec.type] }}{%- elif json_spec.type == "array" %}{{- "List[" +  json_to_python_type(json_spec["items"]) + "]"}}{%- elif json_spec.type == "object" %}{{- "Dict[str, " + json_to_python_type(json_spec.additionalProperties) + ']'}}{%- elif json_spec.type is iterable %}{{- "Union[" }}{%- for t in json_spec.type %}{{- json_to_python_type({"type": t}) }}{%- if not loop.last %}{{- "," }} {%- endif %}{%- endfor %}{{- "]" }}{%- else %}{{- "Any" }}{%- endif %}{%- endmacro %}{%- macro old_tool_parser(tools) %}{%- for tool in tools %}{%- if loop.index0 != 0 %}{{- '\n\n' }}{%- endif %}{{- '```python\ndef ' + tool.name + '(' }}{%- for param_name, param_fields in tool.parameter_definitions|items %}{%- if loop.index0 != 0 %}{{- ', '}}{%- endif %}{{- param_name + ': ' }}{%- if not param_fields.required %}{{- 'Optional[' + param_fields.type + '] = None'}}{%- else %}{{- param_fields.type }}{%- endif %}{%- endfor %}{{- ') -> List[Dict]:\n    """'}}{{- tool.description }}{%- endfor %}{%- endmacro %}{%- macro new_tool_parser(tools) %}{%- for tool in tools %}{%- if loop.index0 != 0 %}{{- '\n\n'}}{%- endif %}{%- if tool.function is defined %}{%- set tool = tool.function %}{%- endif %}{{-'```python
def ' + tool.name + '('}}{%- for param_name, param_fields in tool.parameters.properties|items %}{%- if loop.index0 != 0 %}{{- ', '}}{%- endif %}{{-param_name + ": "}}{%- if not param_name in tool.parameters.required %}{{-'Optional[' + json_to_python_type(param_fields) + '] = None'}}{%- else %}{{- json_to_python_type(param_fields) }}{%- endif %}{%- endfor %}{{- ') -> List[Dict]:
    """'}}{{- tool.description }}{%- if tool.parameters.properties|length != 0 %}{{- '\n\n    Args:\n        '}}{%- for param_name, param_fields in tool.parameters.properties|items %}{%- if loop.index0 != 0 %}{{- '\n        ' }}{%- endif %}{{- param_name + ' ('}}{%- if not param_name in tool.parameters.required %}{{-'Optional[' + json_to_python_type(param_fields) + ']'}}{%- else %}{{- json_to_python_type(param_fields) }}{%- endif %}{{- '): ' + param_fields.description|default('') }}{%- endfor %}{%- endif %}{{- '\n    """\n    pass\n```' }}{%- endfor %}{%- endmacro %}{{- bos_token }}{{- '## Available Tools\nHere is a list of tools:\n\n' }}{% set ns = namespace(new_tools=true) %}{% for tool in tools or [] %}{% if tool.parameter_definitions is defined %}{% set ns.new_tools = false %}{% endif %}{% endfor %}{% if ns.new_tools %}{{- new_tool_parser(tools or []) }}{% else %}{{- old_tool_parser(tools) }}{% endif %}{%- for message in messages %}{%- set content = message['content'] %}{%- if message.role == 'user' %}{{- '<|USER_TOKEN|>' + content|trim + '<|END_OF_TURN_TOKEN|>' }}{%- elif message.role == 'assistant' and message.tool_calls %}{{- '<|CHATBOT_TOKEN|>' }}{%- if message.content is defined %}{{- message.content|trim }}{%- endif %}{{- '\nAction:\n```json\n[\n' }}{%- for tool_call in message.tool_calls %}{%- if tool_call.function is defined %}{%- set tool_call = tool_call.function %}{%- endif %}{{- '{\n'|indent(4, first=true) }}{{- '"tool_name": "'|indent(8, first=true) + tool_call.name + '",\n' }}{{- '"parameters": '|indent(8, first=true) }}{%- if tool_call.arguments is defined and tool_call.arguments|length > 0 %}{{- tool_call.arguments|tojson(indent=4)|indent(8) }}{{- '\n' }}{%- else %}{{- '{}\n' }}{%- endif %}{{- '}'|indent(4, first=true) }}{%- if not loop.last %}{{- ',\n' }}{%- endif %}{%- endfor %}{{- "\n]```\n" }}{%- elif message.role == 'tool' %}{%- if loop.index0 == 0 or messages[loop.index0 - 1].role != 'tool' %}{{- '<|SYSTEM_TOKEN|><results>\n' }}{%- endif %}{{- 'Document: {}\n'.format(loop.index0) if false else 'Document: ' + loop.index0|string + '\n' }}{{- message.content ~ '\n\n' }}{%- endif %}{%- endfor %}'''
T["smollm3"] = r'''{# ───── defaults ───── #}
{%- if enable_thinking is not defined -%}
{%- set enable_thinking = true -%}
{%- endif -%}

{# ───── reasoning mode ───── #}
{%- if enable_thinking -%}
  {%- set reasoning_mode = "/think" -%}
{%- else -%}
  {%- set reasoning_mode = "/no_think" -%}
{%- endif -%}

{# ───── header (system message) ───── #}
{{- "<|im_start|>system\n" -}}

{%- if messages[0].role == "system" -%}
  {%- set system_message = messages[0].content -%}
  {%- if "/no_think" in system_message -%}
    {%- set reasoning_mode = "/no_think" -%}
  {%- elif "/think" in system_message -%}
    {%- set reasoning_mode = "/think" -%}
  {%- endif -%}
  {%- set custom_instructions = system_message.replace("/no_think", "").replace("/think", "").rstrip() -%}
{%- endif -%}

{%- if "/system_override" in system_message -%}
  {{- custom_instructions.replace("/system_override", "").rstrip() -}}
  {{- "<|im_end|>\n" -}}
{%- else -%}
  {{- "## Metadata\n\n" -}}
  {{- "Knowledge Cutoff Date: June 2025\n" -}}
  {%- set today = strftime_now("%d %B %Y") -%}
  {{- "Today Date: " ~ today ~ "\n" -}}
  {{- "Reasoning Mode: " + reasoning_mode + "\n\n" -}}

  {{- "## Custom Instructions\n\n" -}}
  {%- if custom_instructions -%}
    {{- custom_instructions + "\n\n" -}}
  {%- elif reasoning_mode == "/think" -%}
    {{- "You are a helpful AI assistant named SmolLM.\n\n" -}}
  {%- else -%}
    {{- "You are a helpful AI assistant named SmolLM, trained by Hugging Face.\n\n" -}}
  {%- endif -%}

  {%- if xml_tools or python_tools or tools -%}
    {{- "### Tools\n\n" -}}
    {%- if xml_tools or tools -%}
      {%- if tools -%}
        {%- set xml_tools = tools -%}
      {%- endif -%}
      {%- set ns = namespace(xml_tool_string="You may call one or more functions.\n\nYou are provided with function signatures within <tools></tools> XML tags:\n\n<tools>\n") -%}
      {%- for tool in xml_tools[:] -%} {# The slicing makes sure that xml_tools is a list #}
        {%- set ns.xml_tool_string = ns.xml_tool_string ~ (tool | string) ~ "\n" -%}
      {%- endfor -%}
      {%- set xml_tool_string = ns.xml_tool_string + "</tools>\n\nFor each function call, return a json object" -%}
      {{- xml_tool_string -}}
    {%- endif -%}
    {{- "\n\n" -}}
    {{- "<|im_end|>\n" -}}
  {%- endif -%}
{%- endif -%}
{# ───── main loop ───── #}
{%- for message in messages -%}
    {%- set content = message.content if message.content is string else "" -%}
    {%- if message.role == "user" -%}
        {{ "<|im_start|>" + message.role + "\n"  + content + "<|im_end|>\n" }}
    {%- elif message.role == "assistant" -%}
        {% generation %}
        {%- if reasoning_mode == "/think" -%}
            {{ "<|im_start|>assistant\n" + content.lstrip("\n") + "<|im_end|>\n" }}
        {%- else -%}
            {{ "<|im_start|>assistant\n" + "<think>\n\n</think>\n" + content.lstrip("\n") + "<|im_end|>\n" }}
        {%- endif -%}
        {% endgeneration %}
    {%- elif message.role == "tool" -%}
    {{ "<|im_start|>" + "user\n"  + content + "<|im_end|>\n" }}
    {%- endif -%}
{%- endfor -%}
{# ───── generation prompt ───── #}
{%- if add_generation_prompt -%}
    {%- if reasoning_mode == "/think" -%}
        {{ "<|im_start|>assistant\n" }}
    {%- else -%}
        {{ "<|im_start|>assistant\n" + "<think>\n\n</think>\n"  }}
    {%- endif -%}
{%- endif -%}'''
T["qwen25"] = r'''{%- if tools %}
    {{- '<|im_start|>system\n' }}
    {%- if messages[0]['role'] == 'system' %}
        {{- messages[0]['content'] }}
    {%- else %}
        {{- 'You are Qwen, created by Alibaba Cloud. You are a helpful assistant.' }}
    {%- endif %}
    {{- "\n\n# Tools\n\n<tools>" }}
    {%- for tool in tools %}
        {{- "\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\n</tools>\n\n<tool_call>\n{\"name\": <function-name>, \"arguments\": <args-json-object>}\n</tool_call><|im_end|>\n" }}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\n' + messages[0]['content'] + '<|im_end|>\n' }}
    {%- else %}
        {{- '<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}
            {{- '\n' + message.content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '\n<tool_call>\n{"name": "' }}
            {{- tool_call.name }}
            {{- '", "arguments": ' }}
            {{- tool_call.arguments | tojson }}
            {{- '}\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\n<tool_response>\n' }}
        {{- message.content }}
        {{- '\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
{%- endif %}
'''
T["deepseekr1"] = "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, is_tool=false, is_output_first=true, system_prompt='', is_first_sp=true) %}{%- for message in messages %}{%- if message['role'] == 'system' %}{%- if ns.is_first_sp %}{% set ns.system_prompt = ns.system_prompt + message['content'] %}{% set ns.is_first_sp = false %}{%- else %}{% set ns.system_prompt = ns.system_prompt + '\\n\\n' + message['content'] %}{%- endif %}{%- endif %}{%- endfor %}{{ bos_token }}{{ ns.system_prompt }}{%- for message in messages %}{%- if message['role'] == 'user' %}{%- set ns.is_tool = false -%}{{'<｜User｜>' + message['content']}}{%- endif %}{%- if message['role'] == 'assistant' and 'tool_calls' in message %}{%- set ns.is_tool = false -%}{%- for tool in message['tool_calls'] %}{%- if not ns.is_first %}{%- if message['content'] is none %}{{'<｜Assistant｜><｜tool▁calls▁begin｜><｜tool▁call▁begin｜>' + tool['type'] + '<｜tool▁sep｜>' + tool['function']['name'] + '\\n' + '```json' + '\\n' + tool['function']['arguments']|tojson + '\\n' + '```' + '<｜tool▁call▁end｜>'}}{%- else %}{{'<｜Assistant｜>' + message['content'] + '<｜tool▁calls▁begin｜>' + tool['function']['name']}}{%- endif %}{%- set ns.is_first = true -%}{%- else %}{{'\\n' + '<｜tool▁call▁begin｜>' + tool['type'] + '<｜tool▁sep｜>' + tool['function']['name']}}{%- endif %}{%- endfor %}{{'<｜tool▁calls▁end｜><｜end▁of▁sentence｜>'}}{%- endif %}{%- if message['role'] == 'assistant' and 'tool_calls' not in message %}{%- if ns.is_tool %}{{'<｜tool▁outputs▁end｜>' + message['content'] + '<｜end▁of▁sentence｜>'}}{%- set ns.is_tool = false -%}{%- else %}{% set content = message['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}{{'<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>'}}{%- endif %}{%- endif %}{%- if message['role'] == 'tool' %}{%- set ns.is_tool = true -%}{%- if ns.is_output_first %}{{'<｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>' + message['content'] + '<｜tool▁output▁end｜>'}}{%- set ns.is_output_first = false %}{%- else %}{{'<｜tool▁output▁begin｜>' + message['content'] + '<｜tool▁output▁end｜>'}}{%- endif %}{%- endif %}{%- endfor -%}{% if ns.is_tool %}{{'<｜tool▁outputs▁end｜>'}}{% endif %}{% if add_generation_prompt and not ns.is_tool %}{{'<｜Assistant｜><think>\\n'}}{% endif %}"
TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "Gets \"weather\" & more é <b>", "parameters": {"type": "object", "properties": {"city": {"type": "string", "enum": ["a", "b"], "description": "The city"}, "n": {"type": "number", "default": 1.5}, "tags": {"type": "array", "items": {"type": "string"}}, "u": {"type": ["string", "null"]}}, "required": ["city"]}}}, {"type": "function", "function": {"name": "now", "description": "", "parameters": {"type": "object", "properties": {}}}}]
M = {}
M["simple"] = dict(messages=[{"role": "user", "content": "Hello there"}, {"role": "assistant", "content": " Hi! "}, {"role": "user", "content": "How are <you>?"}])
M["system"] = dict(messages=[{"role": "system", "content": "Be brief. /no_think\n"}, {"role": "user", "content": "\n Hello\nworld \n"}, {"role": "assistant", "content": "\n\nHi\t"}], agp=True)
M["one"] = dict(messages=[{"role": "user", "content": "x"}], agp=True)
M["emoji"] = dict(messages=[{"role": "user", "content": "👨‍👩‍👧 \u00a0naïve \u2028"}, {"role": "assistant", "content": "ok\u3000"}, {"role": "user", "content": ""}], agp=True)
M["think"] = dict(messages=[{"role": "user", "content": "q"}, {"role": "assistant", "content": "<think>\n hmm \n</think>\n\n ans \n"}, {"role": "user", "content": "more é 世界"}], agp=True, vars={"enable_thinking": False})
M["think2"] = dict(messages=[{"role": "user", "content": "q"}, {"role": "assistant", "reasoning_content": "\nbecause\n ", "content": "ans"}], agp=False, vars={"enable_thinking": True})
M["tools"] = dict(messages=[{"role": "system", "content": "S"}, {"role": "user", "content": "w?"}, {"role": "assistant", "content": "", "tool_calls": [{"id": "abc123def", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "Zürich", "n": 2, "f": 1.0, "e": 1e-7, "big": 12345678901234567890, "l": [1, None, True]}}}]}, {"role": "tool", "content": "{\"t\": 21}", "tool_call_id": "abc123def", "name": "get_weather"}, {"role": "assistant", "content": "21"}], tools=TOOLS)
M["toolsnone"] = dict(messages=[{"role": "user", "content": "w?"}, {"role": "assistant", "content": None, "tool_calls": [{"id": "abc123def", "type": "function", "function": {"name": "now", "arguments": {}}}]}, {"role": "tool", "content": "r", "tool_call_id": "abc123def"}, {"role": "tool", "content": "r2", "tool_call_id": "abc123deg"}], tools=TOOLS, agp=True)
M["tools2"] = dict(messages=[{"role": "user", "content": "w?"}], tools=TOOLS, agp=True)
M["parts"] = dict(messages=[{"role": "user", "content": [{"type": "text", "text": " a "}, {"type": "image"}, {"type": "text", "text": "b"}]}], agp=True)
M["multi"] = dict(messages=[{"role": "user", "content": "w"}, {"role": "assistant", "content": "let me", "reasoning_content": "R", "tool_calls": [{"type": "function", "id": "a", "function": {"name": "f", "arguments": "{\"a\": 1}"}}, {"type": "function", "id": "b", "function": {"name": "g", "arguments": {}}}]}, {"role": "tool", "content": "r1"}, {"role": "tool", "content": "r2"}], tools=TOOLS, agp=True)
M["docs"] = dict(messages=[{"role": "user", "content": "w"}], agp=True, vars={"documents": [{"title": "t", "text": "x"}, {"title": "u", "text": "y"}], "controls": {"length": "short", "citations": True}})
M["bad"] = dict(messages=[{"role": "assistant", "content": "w"}, {"role": "user", "content": "x"}, {"role": "user", "content": "y"}])
M["empty"] = dict(messages=[], agp=True)


def render(template, chat):
    variables = dict(chat.get("vars") or {})
    documents = variables.pop("documents", None)
    try:
        text, _ = U.render_jinja_template(
            conversations=[chat["messages"]], tools=chat.get("tools"), documents=documents, chat_template=template,
            add_generation_prompt=chat.get("agp", False), bos_token="<s>", eos_token="</s>", **variables)
        return {"text": text[0]}
    except Exception as error:
        return {"error": str(error)}


R = random.Random(11)
CTX = dict(messages=[{"role": "user", "content": "Hello World, héllo 😀!", "n": 3, "tags": ["b", "a", "C"]}, {"role": "assistant", "content": " it's \"ok\"\n", "n": -2, "x": None}, {"role": "tool", "content": "", "n": 10}], tools=TOOLS, agp=True, vars={"nums": [3, 1, 2, 10], "fl": [1.5, 2.0, -0.25, 1e20, 1e-7, 100000.0], "words": ["apple", "Banana", "cherry", "apple"], "d": {"b": 2, "a": 1, "Z": [1, {"k": "v"}], "items": "shadow"}, "s": "  The quick brown-fox's\tjump\n", "e": "", "z": 0, "t": True, "nn": None, "nested": {"a": {"b": [10, 20, {"c": "deep"}]}}, "people": [{"name": "Bob", "age": 30, "c": {"x": 1}}, {"name": "alice", "age": 25, "c": {"x": 2}}, {"name": "Carl", "age": 30, "c": {"x": 1}}]})
STR = ["s", "'Abc'", "messages[0].content", "e", "'a,b,,c'", "'x' ~ z", "words[1]", "'ñandú'", "'123'", "'%s|%5d'", "\"it's\"", "'tab\\tnl\\n\\u00e9\\x41'", "messages[0]['role']", "messages[1].content"]
NUM = ["z", "3", "-2", "nums[0]", "fl[0]", "7 // 2", "2 ** 3", "messages|length", "1.0", "0.1 + 0.2", "nums|sum", "10 / 4", "-7 % 3", "7 % -3", "-7 // 2", "fl[3]", "fl[4]", "nums|max", "true + 1", "1_000", "5 % 2 * 3 - 4"]
LST = ["nums", "words", "[1, 'a', none, true, 2.5]", "messages", "s.split()", "range(4)", "range(5, 0, -2)", "(1, 2)", "[]", "d.keys()", "d.items()", "nums[::-1]", "words[1:]", "words[:-1]", "words|sort", "nums|sort(reverse=true)", "people|map(attribute='name')|list", "'abc'|list", "nums[1:10:2]", "d.values()|list", "people|selectattr('age', 'gt', 26)|list", "words|unique|list", "[[1, 2], [3]]"]
DCT = ["d", "messages[0]", "{'a': 1, 'b': [2]}", "{}", "nested", "dict(x=1, y='q')", "{1: 'i', 'k': none}"]
ANY = STR + NUM + LST + DCT + ["none", "true", "false", "undefined_thing", "messages[9]", "d.nope", "nn", "t"]
SF = ["upper", "lower", "title", "capitalize", "trim", "length", "reverse", "list", "first", "last", "string", "replace('l', 'L')", "replace('a', '', 1)", "indent", "indent(2, true)", "indent(width=3, first=true, blank=true)", "default('D')", "default('D', true)", "tojson", "int", "float", "int(7)", "wordcount", "center(20)", "truncate(8)", "truncate(8, true, '')", "e", "safe", "join('-')", "urlencode", "trim('!T ')", "count", "d('x')", "escape|upper", "lower|title"]
NF = ["abs", "int", "float", "round", "round(1)", "round(2, 'floor')", "round(method='ceil')", "string", "tojson", "default(5)", "default(5, true)", "string|length"]
LF = ["length", "first", "last", "join(', ')", "join", "list", "sort|list", "reverse|list", "unique|list", "tojson", "tojson(indent=2)", "string", "map('string')|list", "map('upper')|list", "select|list", "reject|list", "select('string')|list", "reject('none')|list", "batch(2)|list", "batch(3, 'x')|list", "slice(2)|list", "sum", "min", "max", "sort(reverse=true)", "map('length')|list", "select('in', [1, 'a'])|list", "groupby('age')", "map(attribute='name')|join(',')", "map(attribute='role', default='-')|list", "selectattr('name')|list|length", "rejectattr('age', 'equalto', 30)|map(attribute='name')|list", "sum(attribute='age')", "sort(attribute='name')|map(attribute='name')|list", "sort(attribute='age,name')|map(attribute='name')|list", "join(',', attribute='name')", "map(attribute='c.x')|list", "selectattr('c.x', 'eq', 1)|list|length", "tojson(separators=(',', ':'))", "tojson(ensure_ascii=true)", "tojson(sort_keys=true, indent=1)", "count"]
DF = ["length", "items|list", "dictsort", "dictsort(by='value')", "dictsort(reverse=true)", "list", "tojson", "tojson(indent=4)", "string", "first", "dictsort(true)", "join(',')", "tojson(indent=0)"]
TESTS = ["defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "true", "false", "mapping", "iterable", "sequence", "callable", "odd", "even", "divisibleby 2", "divisibleby(3)", "upper", "lower", "eq 3", "equalto('Abc')", "ne 1", "gt 1", "ge(2)", "lt 5", "le 0", "in [1, 'a', 3]", "in 'abc'", "sameas true", "sameas none", "escaped", "== 3", "!= none", "not none", "not string", "not in [1]", "not defined", "filter", "test", "greaterthan 2", "lessthan(4)"]
SM = ["upper()", "lower()", "strip()", "lstrip()", "rstrip()", "strip('T\\n ')", "rstrip('\\n')", "lstrip('The ')", "split()", "split(' ')", "split(',')", "split(',', 1)", "rsplit(',', 1)", "split(maxsplit=1)", "rsplit(' ', 2)", "rsplit(None, 1)", "replace('a', 'b')", "replace('', '-')", "replace('l', 'L', 1)", "startswith('A')", "endswith(('c', 'd'))", "startswith('b', 1)", "find('b')", "rfind('l')", "find('zz')", "index('b')", "count('l')", "title()", "capitalize()", "swapcase()", "isdigit()", "isalpha()", "isalnum()", "isspace()", "isupper()", "islower()", "istitle()", "isnumeric()", "isdecimal()", "isascii()", "isidentifier()", "zfill(8)", "ljust(8, '.')", "rjust(8)", "center(9, '*')", "splitlines()", "splitlines(true)", "partition(',')", "rpartition(',')", "join(['x', 'y'])", "format(1, 'b')", "removeprefix('A')", "removesuffix('c')", "casefold()", "expandtabs()", "length", "nope", "__class__", "encode", "count('')"]
DM = ["get('a')", "get('zz')", "get('zz', 'def')", "items()", "keys()", "values()", "items()|list", "keys()|list", "a", "b", "items", "nope", "copy()", "pop('a')", "update({})", "get('items')"]
def expr(depth=0):
    k = R.random()
    if depth > 2 or k < .2: return R.choice(ANY)
    if k < .35: return f"{sub(R.choice(STR))}|{R.choice(SF)}"
    if k < .42: return f"({R.choice(NUM)})|{R.choice(NF)}"
    if k < .57: return f"{sub(R.choice(LST + ['people', 'people', 'messages']))}|{R.choice(LF)}"
    if k < .62: return f"{sub(R.choice(DCT))}|{R.choice(DF)}"
    if k < .72: return f"{sub(R.choice(ANY))} is {R.choice(TESTS)}"
    if k < .82: return f"{sub(R.choice(STR))}.{R.choice(SM)}"
    if k < .86: return f"{sub(R.choice(DCT))}.{R.choice(DM)}"
    if k < .93: return f"{sub(expr(depth + 1))} {R.choice(['==', '!=', '<', '<=', '>', '>=', 'in', 'not in', '+', '-', '*', '/', '//', '%', '~', 'and', 'or', '**'])} {sub(expr(depth + 1))}"
    if k < .95: return f"not {expr(depth + 1)}"
    if k < .97: return f"{sub(expr(depth + 1))} if {expr(depth + 1)}" + (f" else {expr(depth + 1)}" if R.random() < .8 else "")
    if k < .985: return f"{sub(R.choice(STR + LST))}[{R.choice(['0', '-1', '1:', ':2', '::2', '::-1', '1:3', '-2:', '9', ':-1', '3::-1', '-1:0:-1', 'z', 't', '2:1'])}]"
    return f"[{expr(depth + 1)}, {expr(depth + 1)}]"
def sub(e): return e if e.replace("_", "").replace(".", "").isalnum() or (e[0] in "'\"[" and e[-1] in "'\"]" and e.count(e[0]) <= 2) else f"({e})"


STM = [
 "{% for k, v in d.items() %}{{ k }}={{ v }}{% if not loop.last %},{% endif %}{% endfor %}", "{% for x in nums if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ x }} {% else %}none{% endfor %}", "{% for x in [] %}a{% else %}b{% endfor %}",
 "{% for x in nums recursive %}{{ x }}{% endfor %}", "{% for p in [[1,[2,[3]]],4] recursive %}{% if p is iterable %}<{{ loop(p) }}>{% else %}{{ p }}@{{ loop.depth }}{% endif %}{% endfor %}",
 "{% for x in nums %}{{ loop.cycle('a','b') }}{{ loop.changed(x > 2) }}{{ loop.revindex0 }}{% endfor %}", "{% set x %}a{{ 1 }}b{% endset %}[{{ x }}]", "{% set x | upper | trim %} a{{ 1 }}b {% endset %}[{{ x }}]", "{% with a=1, b=2 %}{{ a + b }}{% endwith %}{{ a is defined }}",
 "{% macro m(a, b=2, c=none) %}{{ a }},{{ b }},{{ c }},{{ varargs }},{{ kwargs }}{% endmacro %}{{ m(1) }}|{{ m(1, c=3) }}|{{ m(1,2,3,4,5) }}|{{ m(a=1, zz=9) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m() }}|{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(q=2) }}",
 "{% macro m() %}[{{ caller('z') }}]{% endmacro %}{% call(u) m() %}<{{ u }}>{% endcall %}", "{% macro m() %}{{ caller is defined }}{{ caller() if caller else 'no' }}{% endmacro %}{{ m() }}{% call m() %}x{% endcall %}", "{% set ns = namespace(a=1, b='x') %}{% for i in nums %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}{{ ns.b }}{{ ns.c is defined }}",
 "{% set x = 1 %}{% for i in nums %}{% set x = x + 1 %}{{ x }}{% endfor %}{{ x }}", "{% if false %}{% set q = 1 %}{% endif %}{{ q is defined }}", "{% if true %}{% set q = 1 %}{% endif %}{{ q }}", "{% set a, b = 1, 2 %}{{ b }}{{ a }}{% set (c, d2) = [3, 4] %}{{ c }}{{ d2 }}",
 "{% filter upper|replace('A', 'x') %}abc{% endfilter %}", "{% raw %}{{ not }} {% if %}{% endraw %} end", "{%- raw -%}  {{ x }}  {%- endraw -%}  y", "a\n  {%- raw %}\n  b\n  {% endraw %}\nc", "{# c #}\nx", "  {# c #}\n  x", "  {#- c -#}\n  x", "x  {{- 1 -}}  y", "x  {{ 1 }}  y\n", "x\n\n", "\n  {% if true %}\n  y\n  {% endif %}\n  z", "  {%+ if true %}\n  y\n  {%+ endif %}\n", "{% if true +%}\n y{% endif %}", "a {%- if true -%} \n b {%- endif %} \n c",
 "{{ '{{' }} {{ '%}' }} {{ {'a': {'b': 1}} }}", "{{ {'a': {'b': 1}}['a']['b'] }}", "{{ {'a':1}}}", "{{ 1 if false }}x", "{{ 'a' 'b' }}", "{{ (1,) }}{{ () }}{{ (1, 2) }}{{ 1, 2 }}", "{{ [1, 2,] }}{{ {'a': 1,} }}", "{{ 1 < 2 < 3 }}{{ 1 < 3 < 2 }}{{ 1 == 1.0 == true }}", "{{ not 1 in [1] }}{{ not true or true }}", "{{ -2 ** 2 }}{{ 2 ** 3 ** 2 }}{{ -3|abs }}{{ - -3 }}", "{{ 1 + 2 ~ 3 * 4 }}", "{{ 'a' ~ 1 ~ none ~ true ~ 1.0 ~ [1] }}", "{{ 'a' + 1 }}", "{{ none + 1 }}", "{{ x.y }}", "{{ x.y.z }}", "{{ x }}{{ x is defined }}{{ x|default(1) }}{{ x|length }}", "{% for a in x %}{{ a }}{% endfor %}ok", "{{ x + 1 }}", "{{ x[0] }}", "{{ x() }}", "{{ x == y }}{{ x != 1 }}", "{{ 'a' in x }}", "{{ x in 'abc' }}", "{{ x ~ 'a' }}", "{{ [x, 1] | length }}",
 "{{ nums.append(4) }}", "{{ d.update({'q': 1}) }}", "{{ nums.index(2) }}{{ nums.count(1) }}", "{{ ''.__class__ }}", "{{ 'a'.__len__() }}", "{{ range(3) }}{{ range(1, 10, 3) }}{{ range(3)|list }}", "{{ range(100001) }}", "{{ range(0) }}{{ range(5)[2] }}{{ range(5)|length }}", "{{ dict(a=1, b=2) }}{{ dict([['x', 1]]) }}", "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.next() }}", "{% set j = joiner('|') %}{{ j() }}a{{ j() }}b{{ j() }}c", "{{ d['items'] }}{{ d.get('items') }}", "{{ messages[0].content[0] }}{{ messages[0].content[-2] }}{{ messages[0].content|length }}{{ messages[0].content[::-1] }}", "{{ '😀a'|length }}{{ '😀a'[0] }}{{ '😀a'[1:] }}{{ '😀a'|reverse }}{{ '😀a'|list }}{{ '😀'|center(5) }}|{{ 'a😀b'.find('b') }}",
 "{{ 'x'|safe + '<b>' }}{{ '<a>' + ('x'|safe) }}{{ '<a>' ~ ('x'|safe) }}{{ ['<', 'x'|safe]|join }}", "{{ '<b>'|e }}{{ '<b>'|escape|e }}{{ '<b>'|forceescape }}", "{{ '%s is %d and %.2f%%' % ('a', 3, 2.5) }}{{ '%05d|%-5s|%5s|%x' % (42, 'a', 'b', 255) }}", "{{ '%s' % [1] }}{{ '%s' % 'x' }}{{ '%(a)s' % d }}", "{{ '%s %s'|format('a', 1) }}{{ '%(q)s'|format(q=2) }}", "{{ '{} {}'.format(1, 'a') }}{{ '{0}{1}{0}'.format('x', 'y') }}{{ '{n:>5}|{n:<5}|{n:^5}|{f:.2f}|{f:08.3f}|{i:,}|{i:x}'.format(n='ab', f=3.14159, i=1234567) }}", "{{ '{a[b]} {p.x}'.format(a={'b': 1}, p={'x': 2}) }}", "{{ '{{}} {}'.format(1) }}", "{{ '{!r} {!s}'.format('a', 'b') }}",
 "{% for x in nums %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 10 %}{% break %}{% endif %}{{ x }}{% endfor %}", "{% for x in nums %}{% for y in nums %}{% if y == 2 %}{% break %}{% endif %}{{ x }}{{ y }} {% endfor %}{{ loop.index }}{% endfor %}", "{% macro a(x) %}{% if x > 0 %}{{ x }}{{ a(x - 1) }}{% endif %}{% endmacro %}{{ a(3) }}", "{% set v = 1 %}{% macro g() %}{{ v }}{% endmacro %}{% set v = 2 %}{{ g() }}", "{% for i in [1,2] %}{% macro h() %}{{ i }}{% endmacro %}{{ h() }}{% endfor %}", "{% for i in nums %}{% set q = i %}{% endfor %}{{ q is defined }}", "{% generation %}{% set q = 1 %}{{ q }}{% endgeneration %}{{ q is defined }}", "a {% generation %} b {% endgeneration %} c", "a\n{% generation %}\nb\n{% endgeneration %}\nc", "{%- generation -%} b {%- endgeneration -%} c",
 "{{ people|groupby('age')|map('first')|list }}", "{% for g in people|groupby('age') %}{{ g.grouper }}:{{ g.list|map(attribute='name')|join(',') }};{% endfor %}", "{% for g, l in people|groupby('age') %}{{ g }}:{{ l|length }};{% endfor %}", "{{ fl }}{{ fl|join(' ') }}{{ fl|tojson }}", "{{ 1e3 }}{{ 1.5e-10 }}{{ 123456789012345678.0 }}{{ 0.1 }}{{ 1e16 }}{{ 1e15 }}{{ 3.0 }}{{ -0.0 }}", "{{ 0x1f }}{{ 0b11 }}{{ 0o17 }}", "{{ 5 / 2 }}{{ 4 / 2 }}{{ 5 // 2 }}{{ 5.0 // 2 }}{{ -5 // 2 }}{{ 5 % -3 }}{{ 5.5 % 2 }}", "{{ 1 / 0 }}", "{{ true and 1 }}{{ 0 or 'a' }}{{ '' or none }}{{ none and 1 }}", "{{ true == 1 }}{{ 1 in [true] }}{{ '1' == 1 }}{{ none == false }}{{ [] == () }}{{ [1] == [1.0] }}{{ {'a': 1} == {'a': 1.0} }}", "{{ [1, 2] < [1, 3] }}{{ 'a' < 'B' }}{{ (1, 'a') < (1, 'b') }}", "{{ 1 < 'a' }}", "{{ [3, 'a']|sort }}", "{{ ['b', 'A', 'c']|sort }}{{ ['b', 'A', 'c']|sort(case_sensitive=true) }}", "{{ {'a': 1}.a }}{{ {'a': 1}['a'] }}{{ {1: 2}[1] }}{{ {'a': 1}.b }}", "{{ [1, 2].0 }}{{ [[5]].0.0 }}", "{{ none.x }}", "{{ none.x.y }}", "{{ (1).x }}", "{{ 'abc'.x is defined }}", "{% print 1 %}", "{% for a, b in [[1, 2], [3, 4]] %}{{ a }}{{ b }}{% endfor %}", "{% for a, b in [1] %}{% endfor %}", "{% for (a, b), c in [[[1, 2], 3]] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "{% if x is not defined and not (y is defined) %}ok{% endif %}", "{{ 'a' if x is defined else 'b' if true else 'c' }}", "{{ loop is defined }}", "{% set loop = 1 %}{{ loop }}", "{{ nope|foo }}", "{{ 1 is foo }}", "{% foo %}", "{% if %}", "{% endif %}", "{{ 1 + }}", "{{ 'a }}", "{{ [1 }}", "{% for %}{% endfor %}", "{% if true %}", "{{ }}", "{% set = 1 %}", "{{ a b }}", "{{ 1 is divisibleby 0 }}", "{% set ns.x = 1 %}", "{% set x = namespace() %}{% set x.y = {'q': [1]} %}{{ x.y.q[0] }}", "{{ namespace(a=1) }}", "{{ messages|selectattr('n', 'defined')|map(attribute='n')|sum }}", "{{ messages|map(attribute='content')|map('trim')|select|join('|') }}", "{{ messages|selectattr('role', 'in', ['user', 'tool'])|list|length }}", "{{ messages | rejectattr('role', 'equalto', 'user') | map(attribute='role') | list }}", "{{ messages|last|attr('role') is defined }}", "{{ (messages|first).role }}{{ (messages|last)['role'] }}", "{{ messages[-1].role }}{{ messages[1:][0].role }}", "{{ messages|map(attribute='role')|unique|join }}", "{{ tools|map(attribute='function')|map(attribute='name')|list }}", "{{ tools[0].function.parameters.properties.keys()|list }}", "{{ tools[0]|tojson(indent=2) }}", "{{ tools|tojson }}", "{% for n, p in tools[0].function.parameters.properties.items() %}{{ n }}:{{ p.type if p.type is string else p.type|join('/') }} {% endfor %}", "{{ s|wordcount }}{{ s.split()|length }}", "{{ '\\u4e16\\U0001f600\\101\\q' }}", "{{ \"a\\\nb\" }}", "{{ 'line1\nline2' }}", "{{ 'a\\\\b\\'c' }}", "{{ ['a\\'b', \"q\\\"\", '\\n\\x00\\u200b\\u00e9'] }}", "{{ 'ǆ'|title }}{{ 'ß'|upper }}{{ 'ΑΣ'|lower }}{{ 'İ'|lower|length }}", "{{ \"hello world's-best (x)\"|title }}{{ \"hello world's\".title() }}", "{{ nums|batch(2)|map('join', '-')|join('|') }}", "{{ words|map('replace', 'a', 'A')|list }}", "{{ words|map('default', 'x')|join }}", "{{ nums|select('odd')|list }}{{ nums|reject('greaterthan', 2)|list }}", "{{ nums|map('string')|join('+') }}={{ nums|sum }}", "{{ d|dictsort(false, 'value') }}", "{{ {'b': 1, 'A': 2}|dictsort }}{{ {'b': 1, 'A': 2}|dictsort(true) }}", "{{ [none, 1]|tojson }}{{ x|tojson }}", "{{ {1: 2, none: 3, true: 4, 1.5: 6}|tojson }}", "{{ (1, 2)|tojson }}", "{{ 'a<b>&\\'\"/'|tojson }}", "{{ '\\x7f\\u2028é😀'|tojson }}{{ '\\x7f\\u2028é😀'|tojson(ensure_ascii=true) }}", "{{ nums|length > 2 and words|length == 4 }}", "{{ messages[0].role|upper ~ ':' ~ messages[0].n }}", "{{ messages[0]['tags'] | join(', ') | upper }}", "{{ ('a', 'b')|join }}{{ {'a': 1}|join }}", "{{ 'abc'|first }}{{ ''|first }}{{ []|last }}{{ []|first is defined }}", "{{ 'a b'|urlencode }}", "{{ 3.7|int }}{{ '3.7'|int }}{{ 'x'|int }}{{ 'x'|int(-1) }}{{ '0x1f'|int(base=16) }}{{ none|int }}{{ true|int }}{{ '  5 '|int }}", "{{ '3'|float }}{{ 'x'|float }}{{ 3|float }}{{ '1e3'|float }}", "{{ 2.5|round }}{{ 3.5|round }}{{ 2.675|round(2) }}{{ 1234.5|round(-2) }}{{ 7|round }}{{ 2.1|round(0, 'ceil') }}",
]


skip = re.compile(r"<generator|object at 0x|<built-in|Undefined|<Macro|bound method|{'")
small = list(STM)
while len(small) < len(STM) + 700:
    expression = expr()
    # Sets of keys, what cannot be hashed, and powers without end are not there; bytes neither.
    if re.search(r"\*\*|is (not )?(test|filter)|encode|keys\(\)", expression):
        continue
    small.append("{{ " + expression + " }}")
cases = [dict(template="chat " + name, chat=chat, **render(T[name], M[chat])) for name in T for chat in M]
for template in small:
    case = dict(template=template, chat="all", **render(template, CTX))
    if not ("text" in case and skip.search(case["text"]) and template not in STM):
        cases.append(case)
M["all"] = CTX
with open(sys.argv[1], "w") as file:
    json.dump({"chats": M, "templates": {"chat " + name: template for name, template in T.items()}, "cases": cases}, file, ensure_ascii=False, indent=0)
print(len(cases), "cases")
