@chat
Feature: Errors
  A request that cannot be done is refused with a status of 400 to 499 and a message, and the next good request is served.

  @W156 @W160 @W162
  Scenario Outline: A body that is no request is refused: <body>
    When I send a chat request:
      """
      <body>
      """
    Then the request is refused
    And the server is still up

    Examples:
      | body                             |
      | {"messages": [                   |
      | What is the capital of France?   |
      | [1, 2, 3]                        |
      | {}                               |
      | {"messages": []} and more        |

  @W156 @W160 @W162
  Scenario Outline: Messages that make no conversation are refused: <messages>
    Given the parameter "messages" is <messages>
    And at most 4 tokens
    When I ask "What is the capital of France?"
    Then the request is refused
    And the server is still up

    Examples:
      | messages                                 |
      | "What is the capital of France?"         |
      | []                                       |
      | null                                     |
      | [{"content": "Hello"}]                   |
      | [{"role": "wizard", "content": "Hello"}] |
      | [{"role": "user", "content": 5}]         |
      | [{"role": "user"}]                       |
      | [{"role": "user", "content": null}]      |
      | [{"role": "user", "content": "Hello"}, {"role": "tool", "tool_call_id": "none", "content": "42"}] |

  @W156 @W160
  Scenario Outline: An option of the wrong type is refused: <option> <value>
    Given the parameter "<option>" is <value>
    When I ask "What is the capital of France?"
    Then the request is refused

    Examples:
      | option      | value  |
      | max_tokens  | "many" |
      | temperature | "hot"  |
      | top_p       | [0.5]  |
      | seed        | "luck" |
      | stream      | "yes"  |
      | stop        | 5      |

  Scenario Outline: An option out of range is refused: <option> <value>
    Given the parameter "<option>" is <value>
    And at most 8 tokens
    When I ask "What is the capital of France?"
    Then the request is refused

    Examples:
      | option      | value |
      | temperature | -3    |
      | top_p       | 7     |
      | n           | 0     |

  Scenario: A negative token limit is refused
    Given the parameter "max_tokens" is -5
    When I ask "What is the capital of France?"
    Then the request is refused

  @W122
  Scenario: An effort that nobody knows is refused, or harms nobody
    Given the parameter "reasoning_effort" is "extreme"
    And at most 8 tokens
    When I ask "What is the capital of France?"
    Then the status is one of 200, 400, 422
    And the server is still up

  Scenario: A limit of no tokens is refused
    Given the parameter "max_tokens" is 0
    When I ask "What is the capital of France?"
    Then the request is refused

  Scenario Outline: A picture that cannot be read is a bad request: <picture>
    Given the parameter "messages" is [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": <picture>}]}]
    And at most 4 tokens
    When I ask "What is this?"
    Then the status is one of 400, 415, 422
    And the error has a message

    Examples:
      | picture                                                 |
      | {"url": "data:image/png;base64,bm90IGEgcGljdHVyZQ=="}   |
      | {"url": ""}                                             |
      | {"url": "http://127.0.0.1:9/nothing.png"}               |
      | "a picture"                                             |

  Scenario: A body under another media type is refused
    When I send a chat request:
      """text/plain
      {"model": "{{model}}", "max_tokens": 4, "messages": [{"role": "user", "content": "Hello"}]}
      """
    Then the request is refused

  Scenario: A chat is not to be got
    When I get "/v1/chat/completions"
    Then the status is 405
    And the error has a message

  @W157
  Scenario: A model that is not there is refused
    Given the model "no-such-model"
    When I ask "What is the capital of France?"
    Then the status is one of 400, 404
    And the error has a message

  Scenario: A request without a model is refused
    Given no model is named
    When I ask "What is the capital of France?"
    Then the request is refused

  Scenario: An error is written as OpenAI writes it
    When I send a chat request:
      """
      {"model": "{{model}}", "messages": "Hello"}
      """
    Then the request is refused
    And the header "content-type" mentions "json"
    And the error has the OpenAI form

  Scenario: A mistake of the caller is called one
    When I send a chat request:
      """
      {"model": "{{model}}", "messages": "Hello"}
      """
    Then the request is refused
    And the error type is "invalid_request_error"

  @W162
  Scenario: A good request after a bad one is served
    When I send a chat request:
      """
      {"messages": [
      """
    Then the request is refused
    When I ask "What is the capital of France?"
    Then the request succeeds
    And the reply mentions "Paris"

  @destructive @W159
  Scenario: A prompt beyond the context is refused, and the next question is answered
    Given the time limit is 5s
    When I ask a question of 9000 words
    Then the request is refused
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"

  @destructive
  Scenario: A prompt of many megabytes is refused at once
    Given the time limit is 5s
    When I ask a question of 4000000 words
    Then the request is refused
